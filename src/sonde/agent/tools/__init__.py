"""Runs of the debugger's tools in the processes of this host, and who may ask for them."""
