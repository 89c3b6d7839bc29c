"""The list of Node.js processes as an agent prints it."""

from __future__ import annotations

MOST_PROCESSES = 2000
LONGEST_COMMAND = 1000
_LONGEST_PID = 20
"""With blanks around it. Python reads no number of thousands of digits."""


def listed(printed: str) -> dict[int, str]:
    """Command lines by pid: a line each, the pid and the command with a NUL between. Others are left out."""
    found = {}
    for line in printed.splitlines()[:MOST_PROCESSES]:
        pid, nul, command = line.partition("\0")
        if nul and len(pid) < _LONGEST_PID and pid.strip().isdecimal() and 0 < int(pid) < 1 << 31:
            found[int(pid)] = command.strip()[:LONGEST_COMMAND]
    return found
