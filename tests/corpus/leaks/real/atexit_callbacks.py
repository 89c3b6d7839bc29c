"""Each request registers what shall be done at exit, with its data."""

import atexit


def clean(data):
    return data


def handler(i):
    data = "d" * 400 + str(i)  # leak: str
    atexit.register(clean, data)  # part of it
