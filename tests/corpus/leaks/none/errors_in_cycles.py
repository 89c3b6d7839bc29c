"""An error whose traceback leads back to it."""


def work(i):
    rows = list(range(200))
    raise ValueError(len(rows) + i)


def handler(i):
    try:
        work(i)
    except ValueError as error:
        kept = error
    return kept.args
