"""Each request sets a signal handler that calls the one before."""

import signal


def handler(i):  # part of it
    before = signal.getsignal(signal.SIGUSR2)

    def received(number, frame):  # leak: function tuple cell
        if callable(before):
            before(number, frame)

    signal.signal(signal.SIGUSR2, received)
