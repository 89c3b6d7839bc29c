"""Counters whose numbers are replaced."""

import collections

hits = collections.Counter()


def handler(i):
    hits[f"/page/{i % 8}"] += 10**9 + i
    hits["all"] += 10**9
