"""Memory for a C library is made per request and kept."""

import ctypes

kept = []


def handler(i):
    kept.append(ctypes.create_string_buffer(1024))  # leak: c_char_Array_1024
