"""A cache without a bound: its keys never come again."""

cache = {}


def handler(i):
    key = f"/orders/{i}"  # leak: str
    if key not in cache:
        cache[key] = [i] * 50  # leak: list
    return cache[key]
