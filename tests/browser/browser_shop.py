"""What the pages show: OTLP requests of a shop with three services and of one host, as its senders would send them."""

import json
import time
from itertools import count

import httpx
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.metrics.v1.metrics_pb2 import AGGREGATION_TEMPORALITY_CUMULATIVE
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

HOSTILE = '<img src=x onerror="document.title=1">/..?#&\'"%2F'
"""The name of a service that wants to be anything but text."""
HOST = "web-1.example"
MS = 1_000_000
ORDERS_STATEMENT = "INSERT INTO orders (customer, total) VALUES (?, ?)"
SPANS_IN_A_CHECKOUT = 9
STACK = 'Traceback (most recent call last):\n  File "shop/orders.py", line 88, in create\nValueError: no stock left'


def attributes(**values):
    """Key values of OTLP; `__` in a name stands for the dot."""
    return [_attribute(name.replace("__", "."), value) for name, value in values.items()]


def _attribute(key, value):
    if isinstance(value, int):
        return KeyValue(key=key, value=AnyValue(int_value=value))
    return KeyValue(key=key, value=AnyValue(string_value=value))


class Shop:
    """Sends traces and metrics to the server at `url` under an app's token. Ids count up, so runs are alike."""

    def __init__(self, url, token):
        self._client = httpx.Client(base_url=url, headers={"Authorization": f"Bearer {token}"}, timeout=60)
        self._ids = count(1)

    def close(self):
        self._client.close()

    def checkout(self, start_ns, *, failed=False):
        """One request through front, orders and stock, with cache, SQL and HTTP calls. Its trace id."""
        trace_id = (0xABC << 64 | next(self._ids)).to_bytes(16, "big")
        request = ExportTraceServiceRequest()
        spans = {name: self._service(request, name) for name in ("front", "orders", "stock")}

        def add(service, name, kind, parent, at_ms, takes_ms, **values):
            return self._span(
                spans[service],
                trace_id,
                name,
                kind,
                parent,
                start_ns + int(at_ms * MS),
                int(takes_ms * MS),
                attributes(**values),
            )

        server, client = Span.SPAN_KIND_SERVER, Span.SPAN_KIND_CLIENT
        status = 500 if failed else 201
        root = add(
            *("front", "POST /checkout", server, b"", 0, 80),
            http__request__method="POST",
            http__route="/checkout",
            http__response__status_code=status,
            user__tier="gold",
        )
        redis = {"db__system__name": "redis", "server__address": "cache.example", "server__port": 6379}
        add("front", "GET", client, root.span_id, 2, 1, **redis)
        http = {"http__request__method": "POST", "server__address": "orders.example", "server__port": 80}
        call = add("front", "POST", client, root.span_id, 5, 60, **http, http__response__status_code=status)
        orders = add(
            *("orders", "POST /orders", server, call.span_id, 6, 57),
            http__route="/orders",
            http__response__status_code=status,
        )
        database = {"db__system__name": "sqlite", "db__namespace": "orders.sqlite"}
        add("orders", "SELECT", client, orders.span_id, 8, 2, **database, db__query__text="SELECT price FROM products")
        add("orders", "INSERT", client, orders.span_id, 12, 4, **database, db__query__text=ORDERS_STATEMENT)
        reserve = {"http__request__method": "POST", "server__address": "stock.example", "server__port": 80}
        call = add("orders", "POST", client, orders.span_id, 20, 30, **reserve, http__response__status_code=200)
        stock = add(
            *("stock", "POST /reserve", server, call.span_id, 21, 28),
            http__route="/reserve",
            http__response__status_code=200,
        )
        add("stock", "DECR", client, stock.span_id, 25, 1, **redis)
        if failed:
            self._fail(orders)
            root.status.code = Status.STATUS_CODE_ERROR
        self._send("/v1/traces", request)
        return trace_id.hex()

    def hostile(self, start_ns):
        """One request of a service with a name that must stay text."""
        request = ExportTraceServiceRequest()
        spans = self._service(request, HOSTILE)
        trace_id = (0xBAD << 64 | next(self._ids)).to_bytes(16, "big")
        self._span(spans, trace_id, HOSTILE, Span.SPAN_KIND_SERVER, b"", start_ns, 3 * MS, attributes(key=HOSTILE))
        self._send("/v1/traces", request)

    def host_metrics(self, now_ns, samples=12, every_s=10):
        """What an agent on HOST measured in the last minutes."""
        for sample in range(samples):
            self._send("/v1/metrics", self._host_sample(now_ns - (samples - 1 - sample) * every_s * 10**9, sample))
        self._send("/v1/logs", self._top_processes(now_ns))

    def _top_processes(self, time_ns):
        request = ExportLogsServiceRequest()
        resource = request.resource_logs.add()
        resource.resource.attributes.extend(
            attributes(service__name="sonde-agent", service__instance__id="agent-1", host__name=HOST)
        )
        record = resource.scope_logs.add().log_records.add(event_name="sonde.top_processes", time_unix_nano=time_ns)
        row = {"pid": 4711, "started_unix_s": 1.7e9, "name": "python3", "command": "gunicorn: worker", "user": "www"}
        row |= {"cpu_cores": 0.5, "memory_bytes": 1 << 28, "threads": 3, "service": "front"}
        record.body.string_value = json.dumps({"seconds": 60, "processes": 99, "rows": [row]})
        return request

    def _host_sample(self, time_ns, sample):
        request = ExportMetricsServiceRequest()
        resource = request.resource_metrics.add()
        resource.resource.attributes.extend(
            attributes(
                service__name="sonde-agent",
                service__version="0.1.0",
                service__instance__id="agent-1",
                host__name=HOST,
                host__id="host-1",
                os__description="Debian GNU/Linux 12",
            )
        )
        metrics = resource.scope_metrics.add().metrics
        gib = 1 << 30

        def gauge(name, value, **of):
            point = _named(metrics, name).gauge.data_points.add(time_unix_nano=time_ns, as_double=value)
            point.attributes.extend(attributes(**of))

        def counter(name, value, **of):
            total = _named(metrics, name).sum
            total.is_monotonic = True
            total.aggregation_temporality = AGGREGATION_TEMPORALITY_CUMULATIVE
            point = total.data_points.add(time_unix_nano=time_ns, as_double=value, start_time_unix_nano=1)
            point.attributes.extend(attributes(**of))

        gauge("system.cpu.utilization", 0.25 + sample / 100)
        gauge("system.cpu.load_average.1m", 1.5)
        gauge("system.cpu.logical.count", 4)
        gauge("system.memory.usage", 5 * gib, system__memory__state="used")
        gauge("system.memory.limit", 16 * gib)
        gauge("system.filesystem.usage", 95 * gib, system__filesystem__state="used", system__filesystem__mountpoint="/")
        gauge("system.filesystem.usage", 5 * gib, system__filesystem__state="free", system__filesystem__mountpoint="/")
        gauge("system.process.count", 123)
        for direction in ("receive", "transmit"):
            counter(
                "system.network.io",
                sample * 1e7,
                network__io__direction=direction,
                network__interface__name="eth0",
            )
        for direction in ("read", "write"):
            counter("system.disk.io", sample * 1e6, disk__io__direction=direction, system__device="sda")
        return request

    def _service(self, request, name):
        resource = request.resource_spans.add()
        resource.resource.attributes.extend(
            attributes(
                service__name=name,
                service__instance__id=f"{name}-1",
                telemetry__sdk__language="python",
                host__name=HOST,
            )
        )
        return resource.scope_spans.add().spans

    def _span(self, spans, trace_id, name, kind, parent, start_ns, takes_ns, values):
        span = spans.add(
            trace_id=trace_id,
            span_id=next(self._ids).to_bytes(8, "big"),
            parent_span_id=parent,
            name=name,
            kind=kind,
            start_time_unix_nano=start_ns,
            end_time_unix_nano=start_ns + takes_ns,
        )
        span.attributes.extend(values)
        return span

    def _fail(self, span):
        span.status.code = Status.STATUS_CODE_ERROR
        span.status.message = "ValueError: no stock left"
        event = span.events.add(name="exception", time_unix_nano=span.end_time_unix_nano - MS)
        event.attributes.extend(
            attributes(exception__type="ValueError", exception__message="no stock left", exception__stacktrace=STACK)
        )

    def _send(self, path, message):
        answer = self._client.post(
            path, content=message.SerializeToString(), headers={"Content-Type": "application/x-protobuf"}
        )
        assert answer.status_code == 200, answer.text


def _named(metrics, name):
    found = next((metric for metric in metrics if metric.name == name), None)
    return found if found is not None else metrics.add(name=name)


def now_ns():
    """The server stores what happened lately, so the shop's requests are of now."""
    return time.time_ns()
