"""A handler imports what it needs when it is needed."""

import asyncio
import sys
import tempfile
from pathlib import Path

CAUSES = {"c_call", "python"}

folder = Path(tempfile.mkdtemp())
(folder / "seldom_needed.py").write_text("".join(f"def f{n}(a, b={n}):\n    return a * b + {n}\n" for n in range(3000)))
sys.path.append(str(folder))
sys.dont_write_bytecode = True


async def main():
    await asyncio.sleep(0.005)
    import seldom_needed  # noqa: F401 # stalls

    await asyncio.sleep(0.005)
