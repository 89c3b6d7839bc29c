"""A class per request goes into a registry."""

registry = {}


class Model:
    def __init_subclass__(cls):
        registry[cls.__name__] = cls


def handler(i):
    type(f"Model{i}", (Model,), {"table": f"t{i}"})  # leak: type
