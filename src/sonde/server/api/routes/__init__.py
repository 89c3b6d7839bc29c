"""One file per group of addresses: parse, call, render."""

PREFIX = "/api/v1"
