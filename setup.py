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


def native(name: str, folder: str) -> list[Extension]:
    """The extension made of every C file of a folder."""
    sources = sorted(str(path) for path in Path(folder).glob("*.c"))
    headers = sorted(str(path) for path in Path(folder).glob("*.h"))
    if not sources:
        return []
    return [Extension(name, sources, depends=headers, extra_compile_args=flags, extra_link_args=link, optional=True)]


setup(ext_modules=native("sonde.probe.core._core", "native") + native("sonde.server.intake._walk", "native/intake"))
