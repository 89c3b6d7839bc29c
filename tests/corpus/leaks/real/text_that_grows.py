"""A text to which each request adds a line."""

journal = ""


def handler(i):
    global journal
    journal += f"request {i} was served\n"  # grows
