"""Which files are not the application's."""

from __future__ import annotations

import site
import sys
import sysconfig
from functools import cache


@cache
def beginnings() -> tuple[str, ...]:
    """Of the names of files: of Sonde's probe, then of the interpreter and what is installed."""
    here = __file__.rpartition("/tools/")[0] + "/"
    paths = sysconfig.get_paths()
    found = [paths[name] for name in ("stdlib", "platstdlib", "purelib", "platlib", "scripts")]
    found += [site.getusersitepackages(), *site.getsitepackages()]
    found += [path for path in sys.path if path.endswith(("site-packages", "dist-packages"))]
    return (here, *sorted({path.rstrip("/") + "/" for path in found if path}))


def is_library(file: str) -> bool:
    """Whether the file is no application's."""
    return file.startswith(beginnings()) or (file.startswith("<") and file not in {"<stdin>", "<string>"})
