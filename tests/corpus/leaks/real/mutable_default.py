"""A default argument that is a list."""


def collect(item, seen=[]):
    seen.append(item)  # part of it
    return seen


def handler(i):
    item = f"item-{i}" * 5  # leak: str
    return len(collect(item))
