"""What we write without a library, the library reads."""

from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue

from sonde.wire import protobuf

values = st.one_of(st.text(), st.booleans(), st.integers(-(1 << 63), (1 << 63) - 1), st.floats(allow_nan=False))


def plain(value):
    """The Python value an AnyValue stands for."""
    kind = value.WhichOneof("value")
    return [plain(item) for item in value.array_value.values] if kind == "array_value" else getattr(value, kind)


@given(values)
def test_an_any_value_comes_back_as_it_went(value):
    read = plain(AnyValue.FromString(protobuf.any_value(value)))

    assert read == value
    assert type(read) is type(value)


@given(st.lists(values))
def test_a_list_comes_back_item_by_item(items):
    assert plain(AnyValue.FromString(protobuf.any_value(items))) == items


@given(st.integers(min_value=1 << 63))
def test_an_integer_that_int64_has_no_room_for_becomes_text(value):
    assert AnyValue.FromString(protobuf.any_value(value)).string_value == str(value)


def test_a_lone_surrogate_does_not_break_the_message():
    assert AnyValue.FromString(protobuf.any_value("a\ud800b")).string_value == "a?b"


@given(st.text(), values)
def test_attributes_join_to_a_message(key, value):
    written = protobuf.key_value(1, key, value)
    tag_and_length = 1 + len(
        protobuf.varint(
            len(KeyValue(key=key, value=AnyValue.FromString(protobuf.any_value(value))).SerializeToString())
        )
    )
    read = KeyValue.FromString(written[tag_and_length:])

    assert read.key == key
    assert plain(read.value) == value


@given(st.integers(0, (1 << 64) - 1))
def test_a_varint_holds_seven_bits_a_byte(value):
    data = protobuf.varint(value)

    assert sum((byte & 0x7F) << 7 * index for index, byte in enumerate(data)) == value
    assert all(byte & 0x80 for byte in data[:-1])
    assert not data[-1] & 0x80
