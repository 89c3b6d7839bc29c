"""A profile comes back as it was written, and other programs' forms of it say the same."""

import gzip
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sonde.wire import profile_exports
from sonde.wire.profile import NO_PARENT, Frame, Profile, Tree, read, shares, written

names = st.text(min_size=1, max_size=12)
frames = st.builds(Frame, names, names, st.integers(1, 500))
stacks = st.lists(st.tuples(frames, st.integers(0, 500)), min_size=1, max_size=8)
samples = st.lists(st.tuples(stacks, st.integers(0, 1 << 40), st.integers(1, 9)), max_size=20)


def profile_of(seen, unit="nanoseconds", max_nodes=10_000):
    tree = Tree(max_nodes)
    for stack, weight, count in seen:
        tree.add(stack, weight, count)
    return tree.profile("cpu", unit, 10_000_000, 1_000_000_000)


def stack_of(profile, node):
    rows = []
    while node != NO_PARENT:
        rows.append((profile.frames[profile.nodes[node].frame], profile.nodes[node].line))
        node = profile.nodes[node].parent
    return tuple(reversed(rows))


def weights(seen):
    found = {}
    for stack, weight, _ in seen:
        found[tuple(stack)] = found.get(tuple(stack), 0) + weight
    return found


@given(samples)
def test_a_tree_keeps_every_stack_with_its_weight(seen):
    profile = profile_of(seen)

    assert {stack_of(profile, node): weight for node, weight, _ in profile.samples} == weights(seen)


@given(samples, st.sampled_from(["nanoseconds", "bytes", "count"]))
def test_a_profile_comes_back_as_it_was_written(seen, unit):
    profile = profile_of(seen, unit)

    assert read(written(profile)) == profile


def test_more_rows_than_are_written_at_once_come_back_too():
    profile = profile_of([([(Frame(f"f{at}", "a.py", at), at)], at, 1) for at in range(1700)])

    assert read(written(profile)) == profile


@pytest.mark.parametrize(
    "change",
    [
        {"format": "else"},
        {"unit": "apples"},
        {"nodes": [[0, 0, 1]]},
        {"nodes": [[-1, 7, 1]]},
        {"nodes": [[-1, 0]]},
        {"samples": [[9, 1, 1]]},
        {"samples": [[-1, 1, 1]]},
        {"samples": [["0", 1, 1]]},
        {"frames": None},
    ],
)
def test_what_is_no_profile_is_refused(change):
    document = json.loads(written(profile_of([([(Frame("f", "a.py", 1), 1)], 1, 1)])))

    with pytest.raises(ValueError, match="profile"):
        read(json.dumps(document | change).encode())


def test_a_full_tree_counts_what_it_leaves_out():
    tree = Tree(2)

    assert tree.add([(Frame("f", "a.py", 1), 1), (Frame("g", "a.py", 5), 6)], 5)
    assert not tree.add([(Frame("f", "a.py", 1), 1), (Frame("h", "a.py", 9), 9)], 5, 3)

    assert tree.dropped == 3
    assert tree.add([(Frame("f", "a.py", 1), 1)], 5)


def test_a_function_in_a_stack_twice_counts_once_in_its_total():
    f, g = Frame("f", "a.py", 1), Frame("g", "a.py", 5)
    profile = profile_of([([(f, 1), (g, 6), (f, 2)], 10, 1), ([(f, 1)], 3, 1)])

    assert {share.frame.name: share[1:] for share in shares(profile)} == {"f": (13, 13, 2), "g": (0, 10, 0)}


@given(samples)
def test_shares_of_self_add_up_to_all(seen):
    profile = profile_of(seen)

    assert sum(share.self_weight for share in shares(profile)) == sum(weight for _, weight, _ in seen)


@given(samples)
def test_speedscope_has_every_stack_with_its_weight(seen):
    profile = profile_of(seen)

    document = json.loads(profile_exports.exported(profile, "speedscope"))

    rows = document["shared"]["frames"]
    (one,) = document["profiles"]
    found = [tuple((rows[at]["name"], rows[at]["file"]) for at in stack) for stack in one["samples"]]
    assert found == [tuple((f.name, f.file) for f, _ in stack_of(profile, node)) for node, _, _ in profile.samples]
    assert sum(one["weights"]) == one["endValue"] == sum(weight for _, weight, _ in seen)


@given(samples)
def test_each_collapsed_line_is_a_stack_and_a_number(seen):
    profile = profile_of(seen)

    lines = profile_exports.exported(profile, "collapsed").decode().split("\n")

    assert lines.pop() == ""
    assert sum(int(line.rpartition(" ")[2]) for line in lines) == sum(weight for _, weight, _ in seen)
    assert {line.rpartition(" ")[0].count(";") + 1 for line in lines} == {len(stack) for stack, _, _ in seen}


# -- pprof, read by what reads protobuf --


def fields(data):
    """(field, value) of a message: a number for a varint, bytes for what has a length."""
    at, found = 0, []

    def number():
        nonlocal at
        value = shift = 0
        while True:
            byte = data[at]
            at += 1
            value |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return value

    while at < len(data):
        tag = number()
        if tag & 7 == 2:
            size = number()
            found.append((tag >> 3, data[at : at + size]))
            at += size
        else:
            found.append((tag >> 3, number()))
    return found


def packed(data):
    found, value, shift = [], 0, 0
    for byte in data:
        value |= (byte & 127) << shift
        shift += 7
        if byte < 128:
            found.append(value)
            value = shift = 0
    return found


@given(samples)
def test_pprof_has_every_stack_with_its_weight_and_count(seen):
    profile = profile_of(seen)

    parts = fields(gzip.decompress(profile_exports.exported(profile, "pprof")))

    strings = [value.decode() for field, value in parts if field == 6]
    functions = {}
    for function in (dict(fields(value)) for field, value in parts if field == 5):
        functions[function[1]] = Frame(strings[function[2]], strings[function[4]], function[5])
    locations = {}
    for location in (dict(fields(value)) for field, value in parts if field == 4):
        line = dict(fields(location[4]))
        locations[location[1]] = functions[line[1]], line[2]
    found = []
    for sample in (dict(fields(value)) for field, value in parts if field == 2):
        count, weight = packed(sample[2])
        found.append((tuple(locations[at] for at in reversed(packed(sample[1]))), weight, count))
    assert found == [(stack_of(profile, node), weight, count) for node, weight, count in profile.samples]
    types = [dict(fields(value)) for field, value in parts if field == 1]
    assert [(strings[kind[1]], strings[kind[2]]) for kind in types] == [("samples", "count"), ("cpu", "nanoseconds")]
    assert strings[0] == ""
    assert dict(parts)[12] == profile.period_ns


def test_an_empty_profile_can_be_exported():
    for form in profile_exports.MEDIA_TYPES:
        assert isinstance(profile_exports.exported(Profile("cpu", "nanoseconds"), form), bytes)
