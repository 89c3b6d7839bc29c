"""A deep copy of the settings per request: what allocates is the copy module, who keeps it is not."""

import copy

settings = {"limits": [1, 2, 3], "names": {"a": ["b"], "c": ["d"]}}
audit = []


def handler(i):
    audit.append(copy.deepcopy(settings))  # leak: dict list
