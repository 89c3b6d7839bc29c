"""Benchmarks: a module has `main()`, prints a table with a ratio to a reference of the same run, and saves it."""
