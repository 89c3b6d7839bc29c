"""Protocols in, one file each; all end in the spool."""
