"""A buffer per request is never given back."""

buffers = []


def handler(i):
    buffer = bytearray(4096)  # leak: bytearray
    buffer[0] = i % 256
    buffers.append(buffer)  # part of it
