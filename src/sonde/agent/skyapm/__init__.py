"""What stands beside PHP processes with SkyAPM 3, in place of its own sidecar.

socket.py     connections and the lines that come on them
lines.py      what a line says
instances.py  which process a line is of, remembered over a restart
translate.py  a line's segment as a SegmentObject
sidecar.py    the whole: lines in, segments and what is known of processes into the queue

Protocol, as SkyAPM-php-sdk 3.3.2 speaks it: a unix stream socket and a connection for each message, which is a line: a
digit, JSON, a newline. `0{"app_code":…,"pid":…,"version":…}` asks who it is and reads up to 4095 bytes of answer, three
fields with commas between. `1{…}` is a segment, and nobody reads an answer.
"""
