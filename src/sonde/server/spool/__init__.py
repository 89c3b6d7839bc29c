"""What was accepted and is not stored yet: files, synced before the sender hears 200, loaded once and in order.

entry.py      the bytes of one accepted request in a file
names.py      what files are called, which is what they are known by for ever
open_file.py  a file while it is written
writer.py     appends and syncs, many requests at a time
backlog.py    closed files: waiting for the loader, or loaded and kept a while
split.py      finds the one entry that the store cannot read
seen.py       bodies of the last minutes, to know one that is sent again
recovery.py   what a killed process left behind
limits.py     how much, how long
spool.py      the whole, as intakes and the loader use it
"""
