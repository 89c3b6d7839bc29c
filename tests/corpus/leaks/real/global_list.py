"""Every request leaves a record in a list that nobody empties."""

history = []


def handler(i):
    history.append({"request": i, "user": f"user-{i}"})  # leak: dict
    return len(history)
