"""Errors are kept for a report; each keeps its frames and what their variables hold."""

errors = []


def work(i):
    rows = list(range(300))  # leak: list
    raise ValueError(len(rows) + i)  # leak: ValueError


def handler(i):
    try:
        work(i)  # part of it
    except ValueError as error:
        errors.append(error)  # part of it
