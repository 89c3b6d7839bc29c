"""The interpreter's own threads, locks and clocks, also where gevent has put its own in their place.

The sender is a thread beside all greenlets, as the native one is: it goes on while the loop is blocked, and who waits
for it waits as a thread.
"""

from __future__ import annotations

import _thread
import select
import sys
import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from types import ModuleType


def _real(module: ModuleType, name: str) -> Any:
    monkey: Any = sys.modules.get("gevent.monkey")
    return getattr(module, name) if monkey is None else monkey.get_original(module.__name__, name)


Lock = _real(_thread, "allocate_lock")
RLock = _real(_thread, "RLock")
start_new_thread = _real(_thread, "start_new_thread")
poll = _real(select, "poll")
sleep = _real(time, "sleep")
