"""The native core. Where it cannot be built, its Python twin takes over (see docs/decisions)."""

import os
from pathlib import Path

from setuptools import Extension, setup

SANITIZE = os.environ.get("SONDE_SANITIZE")  # e.g. "address,undefined": see `make sanitize`

flags = [
    "-std=c11",
    "-D_GNU_SOURCE",
    "-O2",
    "-fvisibility=hidden",
    "-Wall",
    "-Wextra",
    "-Wno-unused-parameter",
    "-Wno-missing-field-initializers",
]
link = ["-pthread"]
if SANITIZE:
    flags += [f"-fsanitize={SANITIZE}", "-fno-omit-frame-pointer", "-g"]
    link += [f"-fsanitize={SANITIZE}"]


def native(name: str, *folders: str) -> list[Extension]:
    """The extension made of every C file of the folders."""
    sources = sorted(str(path) for folder in folders for path in Path(folder).glob("*.c"))
    headers = sorted(str(path) for folder in folders for path in Path(folder).glob("*.h"))
    if not sources:
        return []
    return [Extension(name, sources, depends=headers, extra_compile_args=flags, extra_link_args=link, optional=True)]


SHARED = {"frames": (), "watch": ("frames",)}
"""Folders of native/tools that are no tool, and what each needs of the others."""


def tools() -> list[Extension]:
    """An extension per tool; one that reads frames has a copy of the walker inside, so that each fails alone."""
    found = []
    for folder in sorted(path for path in Path("native/tools").glob("*") if path.is_dir() and path.name not in SHARED):
        text = "".join(path.read_text() for path in folder.glob("*.[ch]"))
        used = {name for name in SHARED if f"../{name}/" in text}
        used |= {needed for name in used for needed in SHARED[name]}
        found += native(
            f"sonde.probe.tools._{folder.name}", str(folder), *(f"native/tools/{name}" for name in sorted(used))
        )
    return found


RECORDER = ("core", "python", "spans", "wrapping", "requests", "sending")

setup(
    ext_modules=native("sonde.probe.core._core", *(f"native/{folder}" for folder in RECORDER))
    + native("sonde.server.intake._walk", "native/intake")
    + tools()
)
