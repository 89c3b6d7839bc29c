"""The tools there are, for those who look before any process was asked. A test compares it with what the probe has."""

from __future__ import annotations

from sonde.server.job_reports import Tool

CATALOGUE = (
    Tool(name="cpu", heavy=True, at_once=False, options={}),
    Tool(name="calls", heavy=True, at_once=False, options={}),
    Tool(name="leaks", heavy=True, at_once=False, options={}),
    Tool(name="stalls", heavy=False, at_once=False, options={}),
    Tool(name="syscalls", heavy=False, at_once=False, options={}),
    Tool(name="stacks", heavy=False, at_once=True, options={}),
    Tool(name="heap", heavy=True, at_once=True, options={}),
)
