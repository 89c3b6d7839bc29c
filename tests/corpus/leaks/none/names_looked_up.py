"""The interpreter's cache of what types have: it keeps names that C code makes anew for each look, 4096 at most."""

import email.utils


def handler(i):
    return email.utils.formatdate(1.7e9 + i, usegmt=True)  # looks for its zone's `dst`, a new str each time
