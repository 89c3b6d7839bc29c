"""Where things are when nobody named a place."""

from __future__ import annotations

import os

TYPE_CHECKING = False  # typing's own would cost an import of typing
if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


def state_home(environ: Mapping[str, str] | None = None) -> Path:
    """The folder for what a part keeps when nobody named one."""
    from pathlib import Path  # noqa: PLC0415 - the probe keeps nothing

    environ = os.environ if environ is None else environ
    if os.geteuid() == 0:
        return Path("/var/lib/sonde")
    return Path(environ.get("XDG_STATE_HOME") or Path.home() / ".local/state") / "sonde"


def default_agent_socket(environ: Mapping[str, str] | None = None) -> str:
    """Where the host's agent listens and every probe of the same user looks for it."""
    environ = os.environ if environ is None else environ
    if os.geteuid() == 0:
        return "/run/sonde/agent.sock"
    runtime = environ.get("XDG_RUNTIME_DIR")
    return f"{runtime}/sonde/agent.sock" if runtime else f"/tmp/sonde-{os.geteuid()}/agent.sock"  # noqa: S108 - the folder is made 0700


def default_policy(environ: Mapping[str, str] | None = None) -> str:
    """Where the agent's policy is when nobody named a file."""
    environ = os.environ if environ is None else environ
    if os.geteuid() == 0:
        return "/etc/sonde/policy.toml"
    return f"{environ.get('XDG_CONFIG_HOME') or os.path.expanduser('~/.config')}/sonde/policy.toml"  # noqa: PTH111 - likewise
