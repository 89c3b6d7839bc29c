"""Settings of the server as a whole: where it is, where its metadata are, who gets in."""

from sonde.settings.setting import Setting

DATA_DIR = Setting("server", "data", str, "", "Folder of everything the server keeps. Empty: the state folder.")
HOST = Setting("server", "host", str, "127.0.0.1", "Address the server listens on.")
METADATA_URL = Setting(
    "server",
    "metadata_url",
    str,
    "",
    "SQLAlchemy address of the metadata. Empty: SQLite in the data folder.",
    secret=True,
)
CONSOLE_URL = Setting(
    "server",
    "console_url",
    str,
    "",
    "Where people open the console, `https://sonde.example.org`: for links in messages. Empty: messages have none.",
)
ADMIN_PASSWORD = Setting(
    "server",
    "admin_password",
    str,
    "",
    "Password of the admin made at the first start. Empty: a random one, printed once and kept in `first-login.json`.",
    secret=True,
)
SECRETS_KEY = Setting(
    "server",
    "secrets_key",
    str,
    "",
    "What apps' secrets are sealed with: 32 random bytes in base64. Empty: `secrets.key` in the data folder, made when "
    "it is missing. Servers that share their metadata need the same one.",
    secret=True,
)
SESSION_HOURS = Setting(
    "server", "session_hours", int, 12, "A console session ends after this time without use.", unit="hours", at_least=1
)
COOKIE_SECURE = Setting(
    "server", "cookie_secure", bool, default=False, doc="Send the session cookie over HTTPS only. Turn on behind TLS."
)
EMBED_ORIGINS = Setting(
    "server",
    "embed_origins",
    str,
    "",
    "Sites whose pages may show shared dashboards in a frame, such as `https://wiki.example.org`, separated by spaces. "
    "Empty: none.",
)
QUERY_TIMEOUT_S = Setting(
    "server", "query_timeout_s", int, 30, "The longest a page's query may run.", unit="s", at_least=1
)
LOG_LEVEL = Setting("server", "log_level", str, "info", "`debug`, `info`, `warning` or `error`.")
