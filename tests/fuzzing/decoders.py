"""All that comes in from strangers."""

from importlib import import_module

FILES = ("headers", "otlp", "queries", "skyapm", "skywalking", "xtransit")


def decoders_of(file):
    """By name. Each file is imported alone: what is imported under a fuzzer takes its time."""
    return {decoder.name: decoder for decoder in import_module(f"decoders_{file}").DECODERS}


def all_decoders():
    return {name: decoder for file in FILES for name, decoder in decoders_of(file).items()}
