"""Writes the shapes that the intakes walk by as C, for fuzz_walk.c, and recorded requests to begin with.

fuzz_shapes.py HEADER CORPUS
"""

from __future__ import annotations

import sys
from pathlib import Path

from sonde.server.intake.check import _SHAPES
from sonde.server.intake.skywalking.segments import _OF_MANY
from sonde.server.spool.entry import Signal

SIGNALS = (Signal.TRACES, Signal.METRICS, Signal.LOGS, Signal.SEGMENTS)
"""In the order in which the first byte of an input counts them, here and in tests/fuzzing/decoders_otlp.py."""
RECORDED = Path("tests/intake/data")


def header() -> str:
    """The tables, and how many there are."""
    tables = [_OF_MANY if signal is Signal.SEGMENTS else _SHAPES[signal] for signal in SIGNALS]
    arrays = [f"static const uint8_t table_{at}[] = {{{','.join(map(str, it))}}};" for at, it in enumerate(tables)]
    names = ", ".join(f"table_{at}" for at in range(len(tables)))
    return "\n".join(
        (*arrays, f"#define TABLES {len(tables)}", f"static const uint8_t *const tables[TABLES] = {{{names}}};\n")
    )


def main(file: Path, corpus: Path) -> None:
    """Both."""
    file.write_text(header())
    corpus.mkdir(parents=True, exist_ok=True)
    for at, signal in enumerate(SIGNALS):
        for path in RECORDED.glob(f"*.{signal}.pb"):
            (corpus / path.name).write_bytes(bytes([at]) + path.read_bytes())


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
