"""Patterns that never come again: the re module keeps the last few hundred."""

import re

LOOPS = 1400


def handler(i):
    return re.match(rf"/user-{i}/(\d+)", f"/user-{i}/7")
