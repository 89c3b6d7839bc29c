"""How Sonde and each of its peers is switched on in a process: `PROBES[name](kind, addresses)`.

Called before the application is made; returns what is put around the application, and what sends the rest. Each is set
up as its own documentation says for production, with every request recorded, and told not to ask the network for what
is not there (cloud metadata, remote configuration, usage telemetry). Where the kind of application is `none`, there is
none: only the start is measured.
"""

from __future__ import annotations

import importlib
import os
import time

TYPE_CHECKING = False  # typing's own would be imported before its time: starting is measured as well
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    Instrumented = tuple[Callable[[Any], Any], Callable[[], object]]

SERVICE = "bench"


def unchanged(app: Any) -> Any:
    """No change to the application."""
    return app


def bare(_kind: str, _addresses: dict[str, str]) -> Instrumented:
    """Nothing."""
    return unchanged, lambda: None


def _sonde(addresses: dict[str, str], **settings: object) -> Instrumented:
    started = importlib.import_module("sonde").start(service=SERVICE, socket=addresses["socket"], **settings)
    assert started
    return unchanged, lambda: importlib.import_module("sonde.probe.core").flush(5.0)


def sonde(_kind: str, addresses: dict[str, str]) -> Instrumented:
    """As `sonde run` starts it."""
    return _sonde(addresses)


def sonde_unsampled(_kind: str, addresses: dict[str, str]) -> Instrumented:
    """No request is recorded, all are counted."""
    return _sonde(addresses, sampling_rate=0)


def sonde_stopped(_kind: str, addresses: dict[str, str]) -> Instrumented:
    """Started, and stopped once the application is made: its plugins were in place."""
    _sonde(addresses)

    def stopped(app: Any) -> Any:
        importlib.import_module("sonde").stop()
        return app

    return stopped, lambda: None


def opentelemetry(kind: str, addresses: dict[str, str]) -> Instrumented:
    """SDK, batch processor with a queue that never fills, OTLP over HTTP, the instrumentations of these libraries."""
    from opentelemetry import trace
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    provider = TracerProvider(resource=Resource.create({"service.name": SERVICE}))
    exporter = OTLPSpanExporter(endpoint=f"{addresses['http']}/v1/traces")
    provider.add_span_processor(BatchSpanProcessor(exporter, max_queue_size=1 << 16))
    trace.set_tracer_provider(provider)
    if kind == "none":
        return unchanged, provider.force_flush
    from opentelemetry.instrumentation.redis import RedisInstrumentor

    RedisInstrumentor().instrument()
    if kind == "flask":
        from opentelemetry.instrumentation.requests import RequestsInstrumentor

        RequestsInstrumentor().instrument()
        from opentelemetry.instrumentation.flask import FlaskInstrumentor as Instrumentor
    else:
        from opentelemetry.instrumentation.httpx import HTTPXClientInstrumentor

        HTTPXClientInstrumentor().instrument()
        from opentelemetry.instrumentation.fastapi import FastAPIInstrumentor as Instrumentor

    def instrumented(app: Any) -> Any:
        Instrumentor().instrument_app(app)
        return app

    return instrumented, provider.force_flush


def ddtrace(_kind: str, addresses: dict[str, str]) -> Instrumented:
    """As ddtrace-run does it."""
    os.environ |= {
        "DD_TRACE_AGENT_URL": addresses["http"],
        "DD_SERVICE": SERVICE,
        "DD_TRACE_SAMPLE_RATE": "1",
        "DD_TRACE_RATE_LIMIT": "1000000",
        "DD_INSTRUMENTATION_TELEMETRY_ENABLED": "false",
        "DD_REMOTE_CONFIGURATION_ENABLED": "false",
        "DD_TRACE_STARTUP_LOGS": "false",
    }
    importlib.import_module("ddtrace.auto")
    return unchanged, importlib.import_module("ddtrace.trace").tracer.flush


def sentry(_kind: str, addresses: dict[str, str]) -> Instrumented:
    """Its integrations find the libraries by themselves."""
    sdk = importlib.import_module("sentry_sdk")
    dsn = addresses["http"].replace("://", "://public@") + "/1"
    # By default its queue has room for 100 transactions, and drops what is more.
    sdk.init(dsn=dsn, traces_sample_rate=1.0, transport_queue_size=100_000)
    return unchanged, lambda: sdk.flush(10)


def elastic(kind: str, addresses: dict[str, str]) -> Instrumented:
    """Each call is a span of its own: neither left out for being short, nor put together with its like."""
    settings = {
        "SERVER_URL": addresses["http"],
        "SERVICE_NAME": SERVICE,
        "TRANSACTION_SAMPLE_RATE": 1.0,
        "EXIT_SPAN_MIN_DURATION": "0ms",
        "SPAN_COMPRESSION_ENABLED": False,
        "CLOUD_PROVIDER": False,
        "CENTRAL_CONFIG": False,
        "LOG_LEVEL": "off",
    }
    importlib.import_module("elasticapm").instrument()
    if kind == "none":
        return unchanged, importlib.import_module("elasticapm").Client(settings).close
    clients: list[Any] = []

    def instrumented(app: Any) -> Any:
        if kind == "flask":
            app.config["ELASTIC_APM"] = settings
            clients.append(importlib.import_module("elasticapm.contrib.flask").ElasticAPM(app).client)
        else:
            starlette = importlib.import_module("elasticapm.contrib.starlette")
            clients.append(starlette.make_apm_client(settings))
            app.add_middleware(starlette.ElasticAPM, client=clients[0])
        return app

    return instrumented, lambda: clients[0]._transport.flush()  # noqa: SLF001, PLW0108 - no public way; made later


def skywalking(_kind: str, addresses: dict[str, str]) -> Instrumented:
    """As sw-python does it. It has no flush: what is queued is sent within a second."""
    os.environ |= {
        "SW_AGENT_PROTOCOL": "grpc",
        "SW_AGENT_COLLECTOR_BACKEND_SERVICES": addresses["grpc"],
        "SW_AGENT_NAME": SERVICE,
        "SW_AGENT_INSTANCE_NAME": "1",
        "SW_AGENT_LOGGING_LEVEL": "CRITICAL",
        "SW_AGENT_TRACE_REPORTER_MAX_BUFFER_SIZE": "100000",
    }
    importlib.import_module("skywalking.agent").agent.start()
    return unchanged, lambda: time.sleep(1.5)


def pinpoint(kind: str, addresses: dict[str, str]) -> Instrumented:
    """Every request is recorded (-1); it sends from the thread of the request."""
    module = importlib.import_module("pinpointPy")
    module.get_logger().setLevel("ERROR")
    module.monkey_patch_for_pinpoint()
    if kind == "fastapi":
        importlib.import_module("pinpointPy.Fastapi").async_monkey_patch_for_pinpoint()
        module.use_asyncio_local_context()
    else:
        module.use_thread_local_context()
    module.set_agent(SERVICE, SERVICE, f"tcp:{addresses['tcp']}", -1)

    def instrumented(app: Any) -> Any:
        if kind == "flask":
            app.wsgi_app = importlib.import_module("pinpointPy.Flask").PinPointMiddleWare(app, app.wsgi_app)
        else:
            context = importlib.import_module("starlette_context.middleware")
            app.add_middleware(importlib.import_module("pinpointPy.Fastapi").PinPointMiddleWare)
            app.add_middleware(context.ContextMiddleware)
        return app

    return instrumented, lambda: None


def logfire(kind: str, addresses: dict[str, str]) -> Instrumented:
    """Sends to another's collector, as it offers; without its own console output."""
    os.environ["OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"] = f"{addresses['http']}/v1/traces"
    os.environ["OTEL_BSP_MAX_QUEUE_SIZE"] = str(1 << 16)
    module = importlib.import_module("logfire")
    module.configure(send_to_logfire=False, service_name=SERVICE, console=False, metrics=False, inspect_arguments=False)
    if kind == "none":
        return unchanged, module.force_flush
    module.instrument_redis()
    (module.instrument_requests if kind == "flask" else module.instrument_httpx)()

    def instrumented(app: Any) -> Any:
        (module.instrument_flask if kind == "flask" else module.instrument_fastapi)(app)
        return app

    return instrumented, module.force_flush


PROBES: dict[str, Callable[[str, dict[str, str]], Instrumented]] = {
    "bare": bare,
    "sonde": sonde,
    "sonde_unsampled": sonde_unsampled,
    "sonde_stopped": sonde_stopped,
    "opentelemetry": opentelemetry,
    "ddtrace": ddtrace,
    "sentry": sentry,
    "elastic": elastic,
    "skywalking": skywalking,
    "pinpoint": pinpoint,
    "logfire": logfire,
}
