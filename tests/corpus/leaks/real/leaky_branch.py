"""Only one request in five takes the branch that keeps memory."""

failed = []


def handler(i):
    if i % 5 == 3:
        failed.append({"request": i, "why": "timeout" + str(i)})  # leak: dict
    return [{} for _ in range(30)]
