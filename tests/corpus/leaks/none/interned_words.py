"""Words of a small vocabulary, interned."""

import sys

WORDS = 12


def handler(i):
    return {sys.intern(f"word-{(i * 7) % WORDS}"): sys.intern(f"value-{i % WORDS}")}
