"""A program with OpenTelemetry's SDK: sets its provider after the first tracer was made, and says what it exported."""

import json
import sys

from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

import sonde

tracer = trace.get_tracer("early")
exporter = InMemorySpanExporter()
provider = TracerProvider()
provider.add_span_processor(SimpleSpanProcessor(exporter))
trace.set_tracer_provider(provider)
with sonde.span("ours"), tracer.start_as_current_span("later"):
    trace.get_tracer("late").start_span("by hand").end()
spans = exporter.get_finished_spans()
json.dump({"exported": [span.name for span in spans], "roots": [span.parent is None for span in spans]}, sys.stdout)
