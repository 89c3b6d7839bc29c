"""An lru_cache with room for eight, keys that never come again."""

import functools


@functools.lru_cache(maxsize=8)
def page(i):
    return "page" * 100 + str(i)


def handler(i):
    return page(i)
