"""Twenty patterns, which the re module caches."""

import re


def handler(i):
    return re.match(rf"/user-{i % 20}/(\d+)", f"/user-{i % 20}/7")
