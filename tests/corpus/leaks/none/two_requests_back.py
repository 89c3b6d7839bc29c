"""A request is kept until the one after the next."""

window = []


def handler(i):
    window.append({"request": i, "body": "b" * 300 + str(i)})
    if len(window) > 2:
        window.pop(0)
