// A program with OpenTelemetry's JS SDK. `otel_node.js http|proto|grpc`; the rest is in the standard variables.

const { trace, context, metrics, SpanKind, SpanStatusCode } = require("@opentelemetry/api");
const { diag, DiagConsoleLogger, DiagLogLevel } = require("@opentelemetry/api");
const { NodeTracerProvider, BatchSpanProcessor } = require("@opentelemetry/sdk-trace-node");
const { MeterProvider, PeriodicExportingMetricReader, AggregationType } = require("@opentelemetry/sdk-metrics");
const { detectResources, envDetector } = require("@opentelemetry/resources");

const how = process.argv[2];
const { OTLPTraceExporter } = require(`@opentelemetry/exporter-trace-otlp-${how}`);
const { OTLPMetricExporter } = require(`@opentelemetry/exporter-metrics-otlp-${how}`);

diag.setLogger(new DiagConsoleLogger(), DiagLogLevel.WARN);

async function main() {
  const resource = detectResources({ detectors: [envDetector] });
  const traces = new NodeTracerProvider({
    resource,
    spanProcessors: [new BatchSpanProcessor(new OTLPTraceExporter())],
  });
  traces.register();
  const meters = new MeterProvider({
    resource,
    readers: [new PeriodicExportingMetricReader({ exporter: new OTLPMetricExporter() })],
    views: [{ instrumentName: "checkout.size", aggregation: { type: AggregationType.EXPONENTIAL_HISTOGRAM } }],
  });
  metrics.setGlobalMeterProvider(meters);
  const tracer = trace.getTracer("shop");
  const meter = metrics.getMeter("shop");
  const orders = meter.createCounter("checkout.orders", { unit: "{order}" });
  const seconds = meter.createHistogram("checkout.duration", { unit: "s" });
  const sizes = meter.createHistogram("checkout.size", { unit: "By" });

  const server = tracer.startSpan("GET", { kind: SpanKind.SERVER });
  server.setAttributes({ "http.request.method": "GET", "http.route": "/checkout/{id}", "url.path": "/checkout/7" });
  for (let number = 1; number <= 10; number++) {
    const parent = trace.setSpan(context.active(), server);
    const client = tracer.startSpan("charge", { kind: SpanKind.CLIENT }, parent);
    client.setAttributes({ "server.address": "cards", "server.port": 443, "http.request.method": "POST" });
    client.end();
    orders.add(1);
    seconds.record(number / 10);
    sizes.record(number * 100);
  }
  server.recordException(new RangeError("no such card"));
  server.setStatus({ code: SpanStatusCode.ERROR, message: "no such card" });
  server.end();
  await traces.shutdown();
  await meters.shutdown();
  console.log(server.spanContext().traceId);
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
