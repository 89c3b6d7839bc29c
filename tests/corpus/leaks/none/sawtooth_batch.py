"""Rows are gathered and written out every ten requests."""

batch = []


def handler(i):
    batch.append(("row", i, "x" * 100 + str(i)))
    if len(batch) == 10:
        batch.clear()
