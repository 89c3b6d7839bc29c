"""Settings of the server's ports, and of what foreign agents may send there."""

from sonde.settings.setting import Setting

PORT = Setting("server", "port", int, 8600, "Port of console, API and OTLP/HTTP.", at_least=0, at_most=65_535)
OTLP_PORT = Setting(
    "server",
    "otlp_port",
    int,
    4318,
    "Second port for OTLP/HTTP, where SDKs look by default. -1: none.",
    at_least=-1,
    at_most=65_535,
)
OTLP_GRPC_PORT = Setting(
    "server",
    "otlp_grpc_port",
    int,
    4317,
    "Port for OTLP/gRPC, where SDKs look by default. -1: none.",
    at_least=-1,
    at_most=65_535,
)
SKYWALKING_GRPC_PORT = Setting(
    "server",
    "skywalking_grpc_port",
    int,
    11800,
    "Port for SkyWalking's agents over gRPC, where they look by default. -1: none.",
    at_least=-1,
    at_most=65_535,
)
SKYWALKING_HTTP_PORT = Setting(
    "server",
    "skywalking_http_port",
    int,
    12800,
    "Port for SkyWalking's agents over HTTP, and for OTLP/HTTP as SkyWalking has it. -1: none.",
    at_least=-1,
    at_most=65_535,
)
SKYWALKING_APP = Setting(
    "server",
    "skywalking_app",
    str,
    "",
    "Name or id of the app that SkyWalking's agents without a token belong to. Empty: they are refused.",
)
XTRANSIT_PORT = Setting(
    "server",
    "xtransit_port",
    int,
    9190,
    "Port of the WebSocket for easy-monitor's xtransit, where it looks by default. -1: none.",
    at_least=-1,
    at_most=65_535,
)
XTRANSIT_UPLOAD_URL = Setting(
    "server",
    "xtransit_upload_url",
    str,
    "",
    "Address to which xtransit agents send files, where they reach the console at another one than the WebSocket: "
    "`https://sonde.example.org`. Empty: the host that the agent connected to, with the port of the console.",
)
XTRANSIT_MAX_FRAME_BYTES = Setting(
    "server",
    "xtransit_max_frame_bytes",
    int,
    16 << 20,
    "An xtransit agent that sends a larger message, such as a lock file, is disconnected.",
    unit="bytes",
    at_least=1 << 16,
)
NODEJS_FILE_MAX_BYTES = Setting(
    "server",
    "nodejs_file_max_bytes",
    int,
    4 << 30,
    "A larger profile, snapshot or core of a Node.js process, before or after decompression, is refused.",
    unit="bytes",
    at_least=1 << 10,
)
NODEJS_FILES_MAX_BYTES = Setting(
    "server",
    "nodejs_files_max_bytes",
    int,
    20 << 30,
    "Room for all files of Node.js processes. When full, more are refused until somebody deletes some.",
    unit="bytes",
    at_least=1 << 10,
)
