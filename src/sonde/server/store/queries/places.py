"""Where an error came from, as SQL sees it: the innermost place of the application that a stack trace names.

Understood are the traces of Python, Node.js, Java, PHP and .NET. Every step makes a text of a text, which the engine
works out once for each stack of a block that is different, and not for each row.
"""

from __future__ import annotations

from sonde.server.store.queries.shapes import literal, stepped

_PYTHON = r'File "(?:<|[^"\n]*(?:[/\\](?:site|dist)-packages[/\\]|/lib(?:64)?/python[0-9.]+/))[^\n]*'
_NODEJS = (
    r"at [^\n]*(?:node_modules[/\\]|\(?node:|[( ]internal/)[^\n]*"
    r"|at [^\n]*(?:<anonymous>\)?|\(native\)|\(index [0-9]+\))"
)
_PHP = r"#[0-9]+ (?:[^(\n]*[/\\]vendor[/\\]|\[internal function\]|\{main\})[^\n]*"
_JAVA_AND_DOTNET = (
    r"at (?:[^\s(]*/)?(?:java|javax|jakarta|jdk|sun|com\.sun|kotlin|kotlinx|scala|groovy|clojure|reactor|akka|play"
    r"|org\.(?:springframework|apache|hibernate|eclipse|jboss|aspectj|postgresql|mariadb|redisson|mybatis|slf4j)"
    r"|io\.(?:netty|grpc|undertow|vertx|reactivex|micrometer|opentelemetry|lettuce)"
    r"|com\.(?:zaxxer|mysql|mongodb|fasterxml|google)|ch\.qos|okhttp3|retrofit2|feign|redis\.clients"
    r"|System|Microsoft|Npgsql|Dapper)\.[^\n]*"
)
_FOREIGN = rf"(?m)^[ \t]*(?:{_PYTHON}|{_NODEJS}|{_PHP}|{_JAVA_AND_DOTNET})$"
"""Lines of a language or a library."""
_LAST_OF_PYTHON = r'(?s)^.*(File "[^"\n]+", line [0-9]+, in [^\n]+)'
_FIRST_OF_LAST_CAUSE = r"(?s)^.*\nCaused by: [^\n]*(?:\n[^\n]*)*?\n[ \t]*((?:at |#[0-9]+ )[^\n]+)"
_FIRST = r"(?m)^[ \t]*((?:at |#[0-9]+ )[^\n]+)"

_SHORTENED = (
    (r'^File "(?:.*?[/\\])??((?:[^/\\"]+[/\\])?[^/\\"]+)", line [0-9]+, in (.*)$', r"\1 in \2"),
    (r"^#[0-9]+ (?:[^(]*?[/\\])??((?:[^/\\(]+[/\\])?[^/\\(]+)\([0-9]+\): ([^(]*).*$", r"\1 at \2"),
    (r"^at (?:async )?(.+) \((?:.*?[/\\])??((?:[^/\\()]+[/\\])?[^/\\():]+):[0-9]+(?::[0-9]+)?\)$", r"\2 in \1"),
    (r"^at (?:async )?(?:.*?[/\\])??((?:[^/\\()]+[/\\])?[^/\\():]+):[0-9]+:[0-9]+$", r"\1"),
    (r"^at (?:[^\s(]*/)?([^\s(/]+)\(.*$", r"\1"),
    (r"\$\$[A-Za-z]+\$*[0-9a-f/]*|\$[0-9]+|0x[0-9a-f]+", ""),
)
"""A line without what another build, host or folder changes: file and function, or class and method."""

_VALUES = (
    (r"[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}|0x[0-9a-fA-F]+|\b[0-9a-fA-F]{16,}\b", "{id}"),
    (r"""[^\s@<>,;'"]+@[^\s@<>,;'"]+\.[A-Za-z]+""", "{email}"),
    (r"""'[^'\n]*[0-9][^'\n]*'|"[^"\n]*[0-9][^"\n]*\"""", "'{value}'"),
    (r"[0-9]+(?:\.[0-9]+)*", "{n}"),
)
LONGEST_MESSAGE = 300


def _innermost(lines: str) -> str:
    """Python writes it last; Java in the last of its causes, at the top, as all others do."""
    of_cause = f"extract({lines}, {literal(_FIRST_OF_LAST_CAUSE)})"
    return f"""multiIf(
        position({lines}, 'File "') > 0, extract({lines}, {literal(_LAST_OF_PYTHON)}),
        {of_cause} != '', {of_cause},
        extract({lines}, {literal(_FIRST)}))"""


def with_place(rows: str) -> str:
    """The rows of a subquery that have a `stack`, with `stack_place`: the innermost place of the application itself,
    else the innermost of all; empty where the stack names none.
    """
    line = stepped("if(own_line != '', own_line, any_line)", _SHORTENED)
    return f"""
        SELECT * EXCEPT (own_lines, own_line, any_line), {line} AS stack_place
        FROM (
            SELECT *, {_innermost("own_lines")} AS own_line, {_innermost("stack")} AS any_line
            FROM (SELECT *, {stepped("stack", ((_FOREIGN, ""),))} AS own_lines FROM ({rows}))
        )"""


def without_values(message: str) -> str:
    """What an error says, without ids, numbers, addresses and quoted values."""
    return f"substringUTF8({stepped(f'substringUTF8({message}, 1, 1000)', _VALUES)}, 1, {LONGEST_MESSAGE})"
