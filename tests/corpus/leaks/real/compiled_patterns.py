"""A pattern per request is kept in a dict of the application."""

import re

patterns = {}


def handler(i):
    patterns[i] = re.compile(rf"^/user-{i}/\d+$")  # leak: re.Pattern
    re.purge()
