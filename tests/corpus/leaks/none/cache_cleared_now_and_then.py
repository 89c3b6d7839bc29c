"""A cache that is thrown away every fifteen requests."""

cache = {}


def handler(i):
    if i % 15 == 0:
        cache.clear()
    cache[f"key-{i}"] = [i] * 20
