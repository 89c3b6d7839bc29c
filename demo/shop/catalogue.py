"""What the shop sells, and at which price."""

from __future__ import annotations

from typing import NamedTuple


class Product(NamedTuple):
    """One product. The price is in cents."""

    id: int
    name: str
    price_cents: int


_NAMES = (
    "Kettle",
    "Teapot",
    "Tea strainer",
    "Cup",
    "Saucer",
    "Tray",
    "Sugar bowl",
    "Milk jug",
    "Green tea",
    "Black tea",
    "Rooibos",
    "Biscuits",
)

PRODUCTS = {number: Product(number, name, 250 + 175 * number) for number, name in enumerate(_NAMES, start=1)}
