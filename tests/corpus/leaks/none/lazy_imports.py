"""Modules that are imported when they are first needed."""

import importlib

NAMES = ["colorsys", "csv", "plistlib", "sched", "shelve", "wave", "chunk", "graphlib", "html.parser", "mailbox"]


def handler(i):
    name = NAMES[i % len(NAMES)]
    try:
        return importlib.import_module(name).__name__
    except ImportError:
        return None
