"""A program with OpenTelemetry's Python SDK. `otel_python.py grpc|http`; the rest is in the standard variables."""

import logging
import sys

from opentelemetry import metrics, trace
from opentelemetry._logs import set_logger_provider
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.metrics.view import ExponentialBucketHistogramAggregation, View
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

if sys.argv[1] == "grpc":
    from opentelemetry.exporter.otlp.proto.grpc._log_exporter import OTLPLogExporter
    from opentelemetry.exporter.otlp.proto.grpc.metric_exporter import OTLPMetricExporter
    from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
else:
    from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
    from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

traces = TracerProvider()
traces.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
trace.set_tracer_provider(traces)
meters = MeterProvider(
    [PeriodicExportingMetricReader(OTLPMetricExporter())],
    views=[View(instrument_name="checkout.size", aggregation=ExponentialBucketHistogramAggregation())],
)
metrics.set_meter_provider(meters)
records = LoggerProvider()
records.add_log_record_processor(BatchLogRecordProcessor(OTLPLogExporter()))
set_logger_provider(records)

tracer, meter, logger = trace.get_tracer("shop"), metrics.get_meter("shop"), records.get_logger("shop")
orders = meter.create_counter("checkout.orders", unit="{order}")
seconds = meter.create_histogram("checkout.duration", unit="s")
sizes = meter.create_histogram("checkout.size", unit="By")

with tracer.start_as_current_span("GET", kind=trace.SpanKind.SERVER) as server:
    server.set_attributes({"http.request.method": "GET", "http.route": "/checkout/{id}", "url.path": "/checkout/7"})
    for number in range(1, 11):
        with tracer.start_as_current_span("charge", kind=trace.SpanKind.CLIENT) as client:
            client.set_attributes({"server.address": "cards", "server.port": 443, "http.request.method": "POST"})
        orders.add(1)
        seconds.record(number / 10)
        sizes.record(number * 100)
    logger.emit(severity_text="WARN", body="the card was declined", attributes={"card.brand": "vista"})
    server.record_exception(ValueError("no such card"))
    server.set_status(trace.StatusCode.ERROR, "no such card")

logging.basicConfig()
for provider in (traces, meters, records):
    if not provider.force_flush(20_000):
        sys.exit("not everything was delivered")
    provider.shutdown()
sys.stdout.write(f"{server.get_span_context().trace_id:032x}\n")
