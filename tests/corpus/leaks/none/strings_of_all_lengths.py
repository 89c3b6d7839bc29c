"""A ring whose entries are of many sizes."""

import random

chance = random.Random(3)
ring = [None] * 6


def handler(i):
    ring[i % 6] = "s" * chance.randrange(100, 3000)
