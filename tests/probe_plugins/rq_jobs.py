"""Functions that jobs of test_plugins_rq call: rq imports them by name."""

from sonde.probe import core


def add(x, y):
    with core.leaf(core.operation("inside", core.INTERNAL)):
        return x + y


def fail(_secret):
    raise ValueError("no stock")
