"""Twenty-four keys that come by chance: the last ones late."""

import random

chance = random.Random(11)
cache = {}


def handler(i):
    key = chance.randrange(24)
    if key not in cache:
        cache[key] = {"key": key, "text": "t" * 100}
    return cache[key]
