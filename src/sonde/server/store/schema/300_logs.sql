-- Mirrors an Entry with logs, see otlp.proto. A body may be a map with maps and lists in it.
CREATE TABLE IF NOT EXISTS intake_logs (
    app String,
    received_unix_nano UInt64,
    logs Tuple(resource_logs Array(Tuple(
        resource Tuple(attributes Array(Tuple(key String, value Tuple(
            value Int8, string_value String, bool_value Bool, int_value Int64, double_value Float64, bytes_value String,
            array_value Tuple(values Array(Tuple(
                value Int8, string_value String, bool_value Bool, int_value Int64, double_value Float64,
                bytes_value String))),
            kvlist_value Tuple(values Array(Tuple(key String, value Tuple(
                value Int8, string_value String, bool_value Bool, int_value Int64, double_value Float64,
                bytes_value String)))))))),
        scope_logs Array(Tuple(log_records Array(Tuple(
            time_unix_nano UInt64,
            observed_time_unix_nano UInt64,
            severity_number Int32,
            severity_text String,
            event_name String,
            trace_id String,
            span_id String,
            body Tuple(
                value Int8, string_value String, bool_value Bool, int_value Int64, double_value Float64,
                bytes_value String,
                array_value Tuple(values Array(Tuple(
                    value Int8, string_value String, bool_value Bool, int_value Int64, double_value Float64,
                    bytes_value String))),
                kvlist_value Tuple(values Array(Tuple(key String, value Tuple(
                    value Int8, string_value String, bool_value Bool, int_value Int64, double_value Float64,
                    bytes_value String))))),
            attributes Array(Tuple(key String, value Tuple(
                value Int8, string_value String, bool_value Bool, int_value Int64, double_value Float64,
                bytes_value String,
                array_value Tuple(values Array(Tuple(
                    value Int8, string_value String, bool_value Bool, int_value Int64, double_value Float64,
                    bytes_value String))),
                kvlist_value Tuple(values Array(Tuple(key String, value Tuple(
                    value Int8, string_value String, bool_value Bool, int_value Int64, double_value Float64,
                    bytes_value String)))))))))))
    )))
)
ENGINE = Null;

CREATE MATERIALIZED VIEW IF NOT EXISTS instances_of_logs TO instances AS
SELECT
    app,
    sonde_service(resource) AS service,
    sonde_instance(resource) AS instance,
    resource['host.name'] AS host,
    resource['telemetry.sdk.language'] AS language,
    toDateTime(max(intDiv(received_unix_nano, 1000000000)), 'UTC') AS last_seen,
    anyLast(resource) AS attributes
FROM (
    SELECT app, received_unix_nano, mapFromArrays(a.key, arrayMap(v -> sonde_text(v), a.value)) AS resource
    FROM (SELECT app, received_unix_nano, arrayJoin(logs.resource_logs.resource.attributes) AS a FROM intake_logs)
)
GROUP BY app, service, instance, host, language;

CREATE TABLE IF NOT EXISTS logs (
    app LowCardinality(String),
    service LowCardinality(String),
    instance LowCardinality(String),
    host LowCardinality(String),
    time DateTime64(6, 'UTC') CODEC(Delta, ZSTD(1)) COMMENT 'of the event, else when it was observed or received',
    severity UInt8 COMMENT 'OTLP severity number: 1 trace, 5 debug, 9 info, 13 warn, 17 error, 21 fatal; 0 unknown',
    severity_text LowCardinality(String),
    event LowCardinality(String) COMMENT 'event_name',
    body String CODEC(ZSTD(1)),
    trace_id FixedString(16) CODEC(ZSTD(1)) COMMENT 'zeros: none',
    span_id FixedString(8) CODEC(ZSTD(1)),
    attributes Map(LowCardinality(String), String) CODEC(ZSTD(1)),
    INDEX by_trace trace_id TYPE bloom_filter(0.01) GRANULARITY 1,
    INDEX by_word body TYPE tokenbf_v1(8192, 3, 0) GRANULARITY 1
)
ENGINE = MergeTree
PARTITION BY toDate(time)
ORDER BY (toStartOfHour(time), service, time)
TTL toDateTime(time) + INTERVAL 7 DAY
SETTINGS ttl_only_drop_parts = 1, non_replicated_deduplication_window = 10000;

CREATE TABLE IF NOT EXISTS arriving_logs (
    app LowCardinality(String),
    service LowCardinality(String),
    instance LowCardinality(String),
    host LowCardinality(String),
    time DateTime64(6, 'UTC'),
    severity UInt8,
    severity_text LowCardinality(String),
    event LowCardinality(String),
    body String,
    trace_id FixedString(16),
    span_id FixedString(8),
    attributes Map(LowCardinality(String), String),
    received DateTime('UTC'),
    fault LowCardinality(String)
)
ENGINE = Null;

-- Until it was analysed in a third of the time.
DROP VIEW IF EXISTS arriving_logs_of_intake;

-- From the inside out, as in 110_spans.sql: one row a sender with its resource as a map, who that is, one row a record, and
-- the columns. No step uses an alias of its own: as it was with those, analysing this took 80 ms of CPU a load, now 30.
CREATE MATERIALIZED VIEW IF NOT EXISTS arriving_logs_of_records TO arriving_logs AS
SELECT
    app, service, instance, host,
    fromUnixTimestamp64Micro(toInt64(intDiv(time_ns, 1000)), 'UTC') AS time,
    if(severity_number BETWEEN 1 AND 24, severity_number, 0) AS severity,
    severity_text, event,
    sonde_text(said) AS body,
    toFixedString(if(length(trace) = 16, trace, ''), 16) AS trace_id,
    toFixedString(if(length(span) = 8, span, ''), 8) AS span_id,
    mapFromArrays(keys, arrayMap(v -> sonde_text(v), values)) AS attributes,
    toDateTime(intDiv(received_unix_nano, 1000000000), 'UTC') AS received,
    sonde_time_fault(time_ns, received_unix_nano) AS fault
FROM (
    SELECT
        app, received_unix_nano, service, instance, host,
        multiIf(
            l.time_unix_nano != 0, l.time_unix_nano,
            l.observed_time_unix_nano != 0, l.observed_time_unix_nano,
            received_unix_nano) AS time_ns,
        l.severity_number AS severity_number,
        l.severity_text AS severity_text,
        l.event_name AS event,
        l.body AS said,
        l.trace_id AS trace,
        l.span_id AS span,
        l.attributes.key AS keys,
        l.attributes.value AS values
    FROM (
        SELECT app, received_unix_nano, service, instance, host, arrayJoin(arrayJoin(scopes).log_records) AS l
        FROM (
            SELECT
                app, received_unix_nano, scopes,
                sonde_service(resource) AS service,
                sonde_instance(resource) AS instance,
                resource['host.name'] AS host
            FROM (
                SELECT
                    app, received_unix_nano,
                    mapFromArrays(
                        r.resource.attributes.key,
                        arrayMap(v -> sonde_text(v), r.resource.attributes.value)) AS resource,
                    r.scope_logs AS scopes
                FROM (SELECT app, received_unix_nano, arrayJoin(logs.resource_logs) AS r FROM intake_logs)
            )
        )
    )
);

CREATE MATERIALIZED VIEW IF NOT EXISTS logs_of_arriving TO logs AS
SELECT * EXCEPT (received, fault) FROM arriving_logs WHERE fault = '';

CREATE MATERIALIZED VIEW IF NOT EXISTS dropped_logs TO dropped AS
SELECT toStartOfInterval(received, INTERVAL 30 SECOND) AS slot, app, 'logs' AS signal, fault AS reason, count() AS count
FROM arriving_logs
WHERE fault != ''
GROUP BY slot, app, reason;
