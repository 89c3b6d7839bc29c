"""Spans of your own: `span` around a block, `traced` around each call of a function, `tag` and `event` on the current
one.
"""

import sonde


@sonde.traced
def price(basket: list[int]) -> int:
    sonde.tag("basket.size", len(basket))
    return sum(basket)


@sonde.traced("ship", carrier="pigeon")
def ship(weight: int) -> None:
    if weight > 1:
        raise ValueError("too heavy")


with sonde.span("order", customer="acme") as order:
    total = price([3, 4])
    sonde.event("priced", total=total)
    order.set("total", total)
    try:
        ship(weight=2)
    except ValueError:
        sonde.tag("shipped", False)
    print("look for trace", sonde.current_trace_id())
