"""A context variable that is set and set back."""

import contextvars

user = contextvars.ContextVar("user", default=None)


def handler(i):
    token = user.set({"name": f"user-{i}"})
    try:
        return user.get()["name"]
    finally:
        user.reset(token)
