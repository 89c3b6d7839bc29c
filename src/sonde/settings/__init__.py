"""Every setting of every part, one row each: name, type, unit, default, what it does, whether it is a secret.

Nobody else reads the environment. The value of a setting is the first found of: what the caller passed (a command's
flag), `SONDE_<NAME>`, the standard OpenTelemetry variable where there is one, `sonde.toml` (`[part] name = …`), the
default.

Rows are grouped by area, a file each, and taken from here. Each process with a probe imports this while it starts: so
it has no dataclasses, pathlib, tomllib and typing are imported where they are needed, and of the rows only the probe's
are read before somebody asks for another.
"""

from __future__ import annotations

from sonde.settings.places import default_agent_socket as default_agent_socket
from sonde.settings.places import default_policy as default_policy
from sonde.settings.places import state_home as state_home
from sonde.settings.probe import *  # noqa: F403 - every row
from sonde.settings.setting import MASK as MASK
from sonde.settings.setting import Setting as Setting
from sonde.settings.setting import SettingError as SettingError
from sonde.settings.values import Settings as Settings

_AREAS = ("probe", "agent", "server", "receivers", "storage", "debugger", "statistics")
"""In the order of the documentation page."""

TYPE_CHECKING = False  # typing's own would cost an import of typing
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from sonde.settings.agent import *  # noqa: F403
    from sonde.settings.debugger import *  # noqa: F403
    from sonde.settings.receivers import *  # noqa: F403
    from sonde.settings.server import *  # noqa: F403
    from sonde.settings.statistics import *  # noqa: F403
    from sonde.settings.storage import *  # noqa: F403
else:

    def __getattr__(name: str) -> Setting[Any]:
        """A row that is not the probe's."""
        try:
            return _named_rows()[name]
        except KeyError:
            raise AttributeError(f"there is no setting {name}", name=name, obj=None) from None


def rows() -> Iterator[Setting[Any]]:
    """Every setting, in the order of the documentation page."""
    return iter(_named_rows().values())


def _named_rows() -> dict[str, Setting[Any]]:
    """Every setting, by its name in the code."""
    from importlib import import_module  # noqa: PLC0415 - the probe has its rows

    named = {}
    for area in _AREAS:
        module = vars(import_module(f"sonde.settings.{area}"))
        named.update({name: value for name, value in module.items() if isinstance(value, Setting)})
    return named
