"""What a setting is: one row, and how a value of it is read."""

from __future__ import annotations

TYPE_CHECKING = False  # typing's own would cost an import of typing
if TYPE_CHECKING:
    from typing import Any, Generic, TypeVar

    T = TypeVar("T", bool, int, float, str)
else:
    T = None
    Generic = {T: object}  # what stands for it while the program runs

MASK = "********"
_TRUE = frozenset({"1", "true", "yes", "on"})
_FALSE = frozenset({"0", "false", "no", "off", ""})


class SettingError(ValueError):
    """A setting has a value it cannot have. The message names the setting, the value and where it came from."""


class Setting(Generic[T]):
    """One row. `part` is who reads it, `name` its name in `sonde.toml` and, as `SONDE_<NAME>`, in the environment."""

    __slots__ = ("also", "at_least", "at_most", "default", "doc", "name", "part", "secret", "type", "unit")

    def __init__(
        self,
        part: str,
        name: str,
        type_: type[T],
        default: T,
        doc: str,
        unit: str = "",
        secret: bool = False,
        at_least: float | None = None,
        at_most: float | None = None,
        also: str = "",
    ) -> None:
        self.part = part
        self.name = name
        self.type: type[T] = type_
        self.default: T = default
        self.doc = doc
        self.unit = unit
        self.secret = secret
        self.at_least = at_least
        self.at_most = at_most
        self.also = also
        """A standard environment variable that is honoured too, e.g. OTEL_SERVICE_NAME."""

    @property
    def variable(self) -> str:
        """Name of the environment variable."""
        return f"SONDE_{self.name.upper()}"

    def parse(self, raw: Any, origin: str) -> T:
        """The value `raw` stands for. Raises SettingError, naming `origin`, where it stands for none."""
        try:
            value: T = _as_bool(raw) if self.type is bool else self.type(raw)
        except (TypeError, ValueError):
            shown = MASK if self.secret else repr(raw)
            raise SettingError(f"{self.name}: {origin} says {shown}, which is no {self.type.__name__}") from None
        if isinstance(value, int | float):
            if self.at_least is not None and value < self.at_least:
                raise SettingError(f"{self.name}: {origin} says {value}, the least is {self.at_least}")
            if self.at_most is not None and value > self.at_most:
                raise SettingError(f"{self.name}: {origin} says {value}, the most is {self.at_most}")
        return value


def _as_bool(raw: object) -> bool:
    text = str(raw).strip().lower()
    if text in _TRUE:
        return True
    if text in _FALSE:
        return False
    raise ValueError(text)
