"""Templates are compiled at first sight."""

templates = {}


def compiled(name):
    if name not in templates:
        templates[name] = compile(f"'<p>' + text + ' {name}</p>'", name, "eval")
    return templates[name]


def handler(i):
    return eval(compiled(f"page-{i % 6}.html"), {"text": str(i)})
