"""Generators that were begun and never ended keep their variables."""

cursors = {}


def rows(i):  # part of it
    page = [i] * 80  # leak: list
    for row in page:  # part of it
        yield row


def handler(i):
    cursor = rows(i)  # leak: generator
    next(cursor)
    cursors[i] = cursor
