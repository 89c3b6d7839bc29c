"""logging with the user's own format, extra and record factory."""

from __future__ import annotations

import io
import logging

import pytest

import sonde
from sonde.probe import guard


@pytest.fixture
def log(spans):
    """A logger of its own; `lines()` is what its handler wrote."""
    logger = logging.getLogger("shop")
    logger.disabled = False  # whatever a library under test has configured
    text = io.StringIO()
    handler = logging.StreamHandler(text)
    handler.setFormatter(logging.Formatter("[%(trace_id)s %(span_id)s] %(message)s"))
    logger.addHandler(handler)
    logger.lines = lambda: text.getvalue().splitlines()
    yield logger
    logger.removeHandler(handler)


def test_a_record_in_a_span_carries_its_ids(spans, log):
    with sonde.span("work"):
        log.warning("half of %s", "it")

    span = spans.only()
    assert log.lines() == [f"[{span.trace_id} {span.span_id}] half of it"]


def test_a_record_outside_of_any_span_can_be_formatted_too(log):
    log.warning("alone")

    assert log.lines() == ["[ ] alone"]


def test_what_the_user_puts_under_these_names_stays(spans, log):
    with sonde.span("work"):
        log.warning("mine", extra={"trace_id": "T", "span_id": "S"})

    spans.take(1)
    assert log.lines() == ["[T S] mine"]


def test_a_record_factory_of_the_user_is_used(spans, log):
    class Record(logging.LogRecord):
        def getMessage(self):  # noqa: N802 - the library's name
            return super().getMessage().upper()

    before = logging.getLogRecordFactory()
    logging.setLogRecordFactory(Record)
    try:
        log.warning("loud")
    finally:
        logging.setLogRecordFactory(before)

    assert log.lines() == ["[ ] LOUD"]


def test_a_record_that_takes_no_attributes_is_passed_on_as_it_is(spans, log):
    class Frozen:
        __slots__ = ()

    before = logging.getLogRecordFactory()
    logging.setLogRecordFactory(lambda *_args, **_kwargs: Frozen())
    guard.raised = False
    try:
        record = log.makeRecord("shop", logging.INFO, "f", 1, "m", (), None)
    finally:
        logging.setLogRecordFactory(before)
        guard.raised = True

    assert isinstance(record, Frozen)
    assert guard.faults().keys() == {"logging.makeRecord"}
    guard.forget()


def test_without_the_probe_records_are_as_before():
    record = logging.getLogger("shop").makeRecord("shop", logging.INFO, "f", 1, "m", (), None)

    assert not hasattr(record, "trace_id")
