"""The debugger's tools, inside the process that is looked at: one file or folder per tool, and the host that runs them.

Nothing here is imported before the first command, but `_stacks`: it answers one that Python cannot hear.
"""
