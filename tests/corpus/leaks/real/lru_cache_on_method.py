"""An unbounded lru_cache on a method keeps every instance."""

import functools


class Basket:
    def __init__(self, i):
        self.items = [i] * 60  # leak: list

    @functools.lru_cache(maxsize=None)
    def total(self):
        return sum(self.items)  # part of it


def handler(i):
    basket = Basket(i)  # leak: Basket
    return basket.total()  # leak: functools._lru_list_elem
