"""`sonde up`: the lean process that holds the ports and keeps store and web process alive.

It imports the standard library alone, so that watching costs little: everything heavy is in the children.
"""
