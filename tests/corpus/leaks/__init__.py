"""Small programs that leak, and small programs that only look as if they did.

`real/`: a line that keeps memory has a comment `# leak: TYPE …`, the types that may be named there. `none/`: no line
may be called a leak. Each has a `handler(i)`, plain or a coroutine function, which is called in loops.
"""
