"""A dict from which the oldest entry goes."""

cache = {}


def handler(i):
    cache[f"/orders/{i}"] = [i] * 30
    if len(cache) > 16:
        cache.pop(next(iter(cache)))
