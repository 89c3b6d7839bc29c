"""A compressor per request is never finished."""

import zlib

streams = {}


def handler(i):
    streams[i] = zlib.compressobj()  # leak: zlib.Compress
    streams[i].compress(b"payload")
