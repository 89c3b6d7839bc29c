"""SkyWalking's agents, version 3 of their protocol: gRPC on 11800, HTTP with JSON on 12800. docs/skywalking.md.

skywalking.proto   the messages; skywalking_pb2.py is made of it
services.py        names and methods of the gRPC services
grpc_side.py       calls: who sends, messages as they come, the answer
http_side.py       the same over HTTP
senders.py         whose data it is
receiver.py        what becomes of each message
intake.py          the whole, as the web process uses it
segments.py        segments: checked and joined; the store decodes them
batches.py         what many streams bring, as few requests to the spool
instances.py       processes, with the properties they told
times.py           their clocks
resource.py, meters.py, runtimes.py, logs.py, events.py, browsers.py
                   everything else, as OTLP
profiling.py       profile tasks: an agent of ours to the control plane, the collector to theirs
profile_…          the processes that ask, a task, what it can be told
snapshots.py       thread snapshots as a profile
"""
