"""Without `sonde run`: the program starts the probe itself, as early as it can, and knows whether it runs."""

import sonde

if not sonde.start(service="orders"):
    print("not seen, but working")

with sonde.span("order"):
    print("look for trace", sonde.current_trace_id())

sonde.stop()
