"""A program that is instrumented with OpenTelemetry's API: its spans and Sonde's are one trace."""

import sqlite3

from opentelemetry import trace

import sonde

tracer = trace.get_tracer("shop")


@tracer.start_as_current_span("price")
def price(item: str) -> int:
    trace.get_current_span().set_attribute("item", item)
    connection = sqlite3.connect(":memory:")
    (found,) = connection.execute("select 7").fetchone()
    connection.close()
    return int(found)


with sonde.span("order"):
    trace.get_current_span().add_event("begun")
    price("tea")
