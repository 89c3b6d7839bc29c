"""HTTP: parse, call, render. No logic here.

`application.py` puts it together; `routes/` has one file per group of addresses, the other files what they share.
"""
