"""Where values come from: the caller, the environment, the settings file, the default."""

from __future__ import annotations

import os

from sonde.settings.setting import MASK, SettingError

TYPE_CHECKING = False  # typing's own would cost an import of typing
if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path
    from typing import Any

    from sonde.settings.setting import Setting, T


class Settings:
    """Where values come from, asked once per setting: `settings[SPOOL_MAX_BYTES]`.

    `given` is what the caller passed, by setting name; None in it means "not passed".
    """

    def __init__(
        self,
        given: Mapping[str, object] | None = None,
        environ: Mapping[str, str] | None = None,
        file: Path | None = None,
    ) -> None:
        self._given = {name: value for name, value in (given or {}).items() if value is not None}
        self._environ = os.environ if environ is None else environ
        self._file: dict[str, dict[str, Any]] = {}
        named = file or self._environ.get("SONDE_CONFIG")
        self._path = str(named) if named else "sonde.toml"
        if named or os.path.isfile(self._path):  # noqa: PTH113 - for pathlib's sake
            import tomllib  # noqa: PLC0415 - the probe reads settings in each process, a file in few

            try:
                with open(self._path, "rb") as opened:  # noqa: PTH123
                    self._file = tomllib.load(opened)
            except (OSError, ValueError) as error:
                raise SettingError(f"the settings file {self._path} cannot be read: {error}") from None

    def __getitem__(self, setting: Setting[T]) -> T:
        """The value of `setting`. Raises SettingError for a value it cannot have."""
        if setting.name in self._given:
            return setting.parse(self._given[setting.name], "the caller")
        for variable in (setting.variable, setting.also):
            if variable and (raw := self._environ.get(variable)) is not None:
                return setting.parse(raw, variable)
        part = self._file.get(setting.part, {})
        if setting.name in part:
            return setting.parse(part[setting.name], self._path)
        return setting.default

    def chosen(self, setting: Setting[Any]) -> bool:
        """Whether somebody said a value, even if it is the default's."""
        return (
            setting.name in self._given
            or any(variable in self._environ for variable in (setting.variable, setting.also) if variable)
            or setting.name in self._file.get(setting.part, {})
        )

    def environment(self) -> dict[str, str]:
        """The environment of a child that shall see the same values: ours, and what the caller passed."""
        from sonde.settings import rows  # noqa: PLC0415 - it imports this

        passed = {row.variable: str(self._given[row.name]) for row in rows() if row.name in self._given}
        return {**self._environ, **passed}

    def shown(self, setting: Setting[T]) -> T | str:
        """The value for a page or a log: a secret that is set is masked."""
        value = self[setting]
        return MASK if setting.secret and value else value
