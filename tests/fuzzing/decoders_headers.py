"""Headers by which a trace comes in: nothing raises, and what is read can be written and read again."""

from decoder import Decoder, chosen, text_of

from sonde.wire import b3, baggage, sw8, traceparent, tracestate
from sonde.wire.frames import HEADER, FrameError, FrameReader, Kind, frame

TRACE, SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"


def read_sw8(text):
    caller = sw8.parse(text)
    if caller is None:
        return
    trace_id, span_id = caller.ids()
    assert len(trace_id) == 16
    assert len(span_id) == 8
    if again := sw8.parse(sw8.written(caller)):
        assert (again.trace_id, again.segment_id, again.parent_span) == caller[1:4]


def read_correlation(text):
    found = sw8.parse_correlation(text)
    assert len(found) <= sw8.MAX_CORRELATIONS
    assert sw8.parse_correlation(sw8.written_correlation(found)) == found


def read_b3(text):
    if caller := b3.parse_single(text):
        assert b3.parse_single(b3.written_single(caller)) == caller
        assert traceparent.parse(str(caller)) == caller


def read_b3_several(text):
    names = ("x-b3-traceid", "x-b3-spanid", "x-b3-sampled", "x-b3-flags")
    given = dict(zip(names, text.split("\n"), strict=False))
    if caller := b3.parse_several(given.get):
        assert b3.parse_several(dict(b3.written_several(caller)).get) == caller


def read_traceparent(text):
    if caller := traceparent.parse(text):
        assert traceparent.parse(str(caller)) == caller


def read_tracestate(text):
    state = tracestate.passed_on(text)
    assert tracestate.passed_on(state) == state
    assert len(state) <= len(text)


def read_baggage(text):
    again = baggage.written(baggage.parse(text))
    assert baggage.written(baggage.parse(again)) == again
    assert len(again) <= baggage.MAX_BYTES


READERS = (read_sw8, read_correlation, read_b3, read_b3_several, read_traceparent, read_tracestate, read_baggage)
EXAMPLES = (
    "1-MS4yLjM=-NC41LjY=-7-c2hvcA==-aQ==-L2U=-aDox",
    "a2V5:dmFsdWU=,azI=:djI=",
    f"{TRACE}-{SPAN}-1-{SPAN}",
    f"{TRACE}\n{SPAN}\nd\n1",
    f"00-{TRACE}-{SPAN}-01",
    "congo=t61rcWkgMzE,rojo=00f067aa0ba902b7,a@b=1",
    "tenant=acme;p=1,user=%C3%BC",
)


def headers(data):
    which, rest = chosen(data, len(READERS))
    READERS[which](text_of(rest))


def frames(data):
    """However a stream is cut, the same frames come out of it, or the same fault."""
    size, stream = chosen(data, 64)

    def of(pieces):
        reader, found = FrameReader(1 << 16), []
        try:
            for piece in pieces:
                found += reader.feed(piece)
        except FrameError as error:
            return error.reason, None
        assert reader.pending <= len(stream)
        return found, reader.pending

    step = size + 1
    whole, cut = of([stream]), of(stream[at : at + step] for at in range(0, len(stream), step))
    assert whole == cut


DECODERS = (
    Decoder("headers", headers, lambda: [bytes([at]) + text.encode() for at, text in enumerate(EXAMPLES)]),
    Decoder(
        "frames",
        frames,
        lambda: [
            b"\x03" + frame(Kind.HELLO, b'{"pid":1}') + frame(Kind.TRACES, b"x" * 40),
            b"\x3f" + frame(Kind.STATUS, b"") + HEADER.pack(b"SD", 1, 9, 1 << 17),
        ],
    ),
)
