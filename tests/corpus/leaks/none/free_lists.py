"""Many short-lived dicts, lists, tuples and floats."""


def handler(i):
    dicts = [{"n": n} for n in range(90)]
    tuples = [(n, n * 0.5) for n in range(200)]
    lists = [[n] for n in range(90)]
    return len(dicts) + len(tuples) + len(lists)
