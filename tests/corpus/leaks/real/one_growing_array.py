"""One array takes a sample per request and is never cut."""

from array import array

samples = array("d")


def handler(i):
    samples.extend([0.5] * 40)  # leak: memory
