"""Where the time of one block goes: a run of the debugger's `cpu` around it. `sonde run -- python profiled.py`.

Where a server is connected and the host's policy allows it, the result is in the console's list of runs, too.
"""

import tempfile

import sonde


def price(basket: range) -> int:
    return sum(item * item for item in basket)


with sonde.span("order"), sonde.profile("pricing", hz=500) as run:
    price(range(2_000_000))

with tempfile.TemporaryDirectory() as folder:
    print(run.save(folder) or run.failure)
    for function in run.document.get("summary", {}).get("functions", [])[:3]:
        print(function["name"], function["self_ns"] / 1e6, "ms")
