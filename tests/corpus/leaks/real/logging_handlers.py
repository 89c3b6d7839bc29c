"""Each request adds a handler to the same logger."""

import io
import logging

logger = logging.getLogger("corpus")
logger.propagate = False


def handler(i):
    logger.addHandler(logging.StreamHandler(io.StringIO()))  # leak: StreamHandler _io.StringIO
    return len(logger.handlers)
