"""Changes a document as JSON: what bytes alone would take very long to find."""

import json
import random

NASTY = (
    "null", "true", "[]", "{}", "[[]]", '""', '"a"', "0", "-1", "1.5", "-0.0", "1e308", "1e400", "-1e400", "NaN",
    "Infinity", "2147483648", "-2147483649", "9223372036854775808", "-9223372036854775809", "18446744073709551616",
    "1" + 330 * "0", '"1"', '"-1"', '"1e400"', '"9223372036854775808"', '"NaN"', '"\\ud800"',
    '"\\u0000"', '"\\udfff\\ud800"',
    '"' + 300 * "x" + '"', '"\\n\\r,;=:"', "1795211222194", "1795211222194000", '"0x10"', '"%00"', "99", '"../.."',
)  # fmt: skip
_MARK = "\0here\0"


def places(node, found):
    """Every container in the document with one of its keys or positions."""
    items = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for key, value in items:
        found.append((node, key))
        places(value, found)
    return found


def changed(body: bytes, seed: int) -> bytes | None:
    """Another document like this one; None where it is no JSON with something in it."""
    dice = random.Random(seed)
    try:
        document = json.loads(body)
        where = places(document, [])
    except (ValueError, RecursionError):
        return None
    if not where:
        return None
    marked = []
    for _ in range(dice.choice((1, 1, 1, 2, 4))):
        node, key = dice.choice(where)
        kind = dice.random()
        if (isinstance(node, dict) and key not in node) or (isinstance(node, list) and key >= len(node)):
            continue
        if kind < 0.6:
            node[key] = f"{_MARK}{len(marked)}{_MARK}"
            marked.append(dice.choice(NASTY))
        elif kind < 0.7:
            del node[key]
        elif kind < 0.85 and isinstance(node, list):
            node.insert(key, node[key])
        else:
            other, name = dice.choice(where)
            try:
                node[key] = json.loads(json.dumps(other[name]))
            except (KeyError, IndexError):
                continue
    text = json.dumps(document, separators=(",", ":"))
    for at, nasty in enumerate(marked):
        text = text.replace(json.dumps(f"{_MARK}{at}{_MARK}"), nasty)
    return text.encode()
