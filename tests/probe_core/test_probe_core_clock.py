"""Times of spans when the wall clock steps."""

import os
import shutil
import subprocess

import pytest

STEPPED_CLOCK = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <time.h>

static long long step_s;

void step_clock(long long seconds) { step_s = seconds; }

int clock_gettime(clockid_t clock, struct timespec *now) {
    static int (*original)(clockid_t, struct timespec *);
    if (!original)
        original = (int (*)(clockid_t, struct timespec *))dlsym(RTLD_NEXT, "clock_gettime");
    int result = original(clock, now);
    if (clock == CLOCK_REALTIME)
        now->tv_sec += step_s;
    return result;
}
"""


@pytest.mark.skipif(shutil.which("cc") is None, reason="no C compiler for a clock that can be stepped")
def test_a_step_of_the_wall_clock_is_followed_but_never_inside_a_span(program, tmp_path):
    source, library = tmp_path / "clock.c", tmp_path / "clock.so"
    source.write_text(STEPPED_CLOCK)
    subprocess.run(["cc", "-shared", "-fPIC", "-o", library, source, "-ldl"], check=True)
    program(
        """
        import ctypes
        from opentelemetry.proto.trace.v1.trace_pb2 import Span
        core.start({}, "", hello={})
        op = core.operation("op", core.INTERNAL)
        hour_s = 3600
        def times(span):
            span.finish()
            (data,) = core.drain()
            span = Span.FromString(data)
            return span.start_time_unix_nano / 1e9, span.end_time_unix_nano / 1e9
        before = time.time()
        across = core.leaf(op)
        ctypes.CDLL(None).step_clock(ctypes.c_longlong(-hour_s))
        start, end = times(across)
        assert before - 1 < start <= end < before + 60, "the span has a step inside"
        until = time.monotonic() + 20
        while times(core.leaf(op))[0] > before - hour_s / 2:
            assert time.monotonic() < until, "the step was not followed"
            time.sleep(0.05)
        """,
        env={"LD_PRELOAD": f"{os.environ.get('LD_PRELOAD', '')} {library}"},
    )
