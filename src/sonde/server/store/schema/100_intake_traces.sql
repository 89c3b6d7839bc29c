-- Mirrors an Entry with traces, see otlp.proto. Keeps nothing: the views below take their rows on the way through.
CREATE TABLE IF NOT EXISTS intake_traces (
    app String,
    received_unix_nano UInt64,
    traces Tuple(resource_spans Array(Tuple(
        resource Tuple(attributes Array(Tuple(key String, value Tuple(
            value Int8, string_value String, bool_value Bool, int_value Int64, double_value Float64, bytes_value String,
            array_value Tuple(values Array(Tuple(
                value Int8, string_value String, bool_value Bool, int_value Int64, double_value Float64,
                bytes_value String))),
            kvlist_value Tuple(values Array(Tuple(key String, value Tuple(
                value Int8, string_value String, bool_value Bool, int_value Int64, double_value Float64,
                bytes_value String)))))))),
        scope_spans Array(Tuple(spans Array(Tuple(
            trace_id String,
            span_id String,
            parent_span_id String,
            name String,
            kind Int32,
            start_time_unix_nano UInt64,
            end_time_unix_nano UInt64,
            attributes Array(Tuple(key LowCardinality(String), value Tuple(
                value Int8, string_value String, bool_value Bool, int_value Int64, double_value Float64,
                bytes_value String,
                array_value Tuple(values Array(Tuple(
                    value Int8, string_value String, bool_value Bool, int_value Int64, double_value Float64,
                    bytes_value String))),
                kvlist_value Tuple(values Array(Tuple(key String, value Tuple(
                    value Int8, string_value String, bool_value Bool, int_value Int64, double_value Float64,
                    bytes_value String))))))),
            events Array(Tuple(
                time_unix_nano UInt64,
                name String,
                attributes Array(Tuple(key String, value Tuple(
                    value Int8, string_value String, bool_value Bool, int_value Int64, double_value Float64,
                    bytes_value String))))),
            links Array(Tuple(trace_id String, span_id String)),
            status Tuple(message String, code Int32)))))
    )))
)
ENGINE = Null;

-- What one process sent, with its resource attributes as a map. On its way, kept nowhere.
CREATE TABLE IF NOT EXISTS arriving_resource_spans (
    app LowCardinality(String),
    received_unix_nano UInt64,
    received DateTime('UTC'),
    service LowCardinality(String),
    instance LowCardinality(String),
    resource Map(String, String),
    scopes Array(Tuple(spans Array(Tuple(
        trace_id String,
        span_id String,
        parent_span_id String,
        name String,
        kind Int32,
        start_time_unix_nano UInt64,
        end_time_unix_nano UInt64,
        attributes Array(Tuple(key LowCardinality(String), value Tuple(
            value Int8, string_value String, bool_value Bool, int_value Int64, double_value Float64,
            bytes_value String,
            array_value Tuple(values Array(Tuple(
                value Int8, string_value String, bool_value Bool, int_value Int64, double_value Float64,
                bytes_value String))),
            kvlist_value Tuple(values Array(Tuple(key String, value Tuple(
                value Int8, string_value String, bool_value Bool, int_value Int64, double_value Float64,
                bytes_value String))))))),
        events Array(Tuple(
            time_unix_nano UInt64,
            name String,
            attributes Array(Tuple(key String, value Tuple(
                value Int8, string_value String, bool_value Bool, int_value Int64, double_value Float64,
                bytes_value String))))),
        links Array(Tuple(trace_id String, span_id String)),
        status Tuple(message String, code Int32)))))
)
ENGINE = Null;

CREATE MATERIALIZED VIEW IF NOT EXISTS arriving_resource_spans_of_intake TO arriving_resource_spans AS
SELECT
    app, received_unix_nano,
    toDateTime(intDiv(received_unix_nano, 1000000000), 'UTC') AS received,
    sonde_service(resource) AS service,
    sonde_instance(resource) AS instance,
    resource, scopes
FROM (
    SELECT
        app, received_unix_nano,
        mapFromArrays(r.resource.attributes.key, arrayMap(v -> sonde_text(v), r.resource.attributes.value)) AS resource,
        r.scope_spans AS scopes
    FROM (SELECT app, received_unix_nano, arrayJoin(traces.resource_spans) AS r FROM intake_traces)
);

CREATE MATERIALIZED VIEW IF NOT EXISTS instances_of_traces TO instances AS
SELECT
    app, service, instance,
    resource['host.name'] AS host,
    resource['telemetry.sdk.language'] AS language,
    max(received) AS last_seen,
    anyLast(resource) AS attributes
FROM arriving_resource_spans
GROUP BY app, service, instance, host, language;
