"""A pool that grows to five connections."""

import random


class Connection:
    def __init__(self):
        self.buffer = bytearray(2048)


chance = random.Random(5)
pool = []


def handler(i):
    taken = [pool.pop() if pool else Connection() for _ in range(chance.randint(1, 5))]
    pool.extend(taken)
