"""Contexts of requests are kept for later and forgotten."""

import contextvars

user = contextvars.ContextVar("user")
later = []


def handler(i):
    user.set({"name": f"user-{i}"})  # leak: dict
    later.append(contextvars.copy_context())  # leak: Context _contextvars.Context
