"""Ids that were seen once are kept for ever."""

seen = set()


def handler(i):
    seen.add(f"id-{i}-{i * 7}")  # leak: str
