"""A logger per request: the logging module keeps each name for ever."""

import logging


def handler(i):
    log = logging.getLogger(f"request.{i}")  # leak: Logger
    return log.isEnabledFor(10)
