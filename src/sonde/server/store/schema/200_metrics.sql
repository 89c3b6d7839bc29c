-- Mirrors an Entry with metrics, see otlp.proto.
CREATE TABLE IF NOT EXISTS intake_metrics (
    app String,
    received_unix_nano UInt64,
    metrics Tuple(resource_metrics Array(Tuple(
        resource Tuple(attributes Array(Tuple(key String, value Tuple(
            value Int8, string_value String, bool_value Bool, int_value Int64, double_value Float64, bytes_value String,
            array_value Tuple(values Array(Tuple(
                value Int8, string_value String, bool_value Bool, int_value Int64, double_value Float64,
                bytes_value String))),
            kvlist_value Tuple(values Array(Tuple(key String, value Tuple(
                value Int8, string_value String, bool_value Bool, int_value Int64, double_value Float64,
                bytes_value String)))))))),
        scope_metrics Array(Tuple(metrics Array(Tuple(
            name String,
            unit String,
            gauge Tuple(data_points Array(Tuple(
                attributes Array(Tuple(key String, value Tuple(
                    value Int8, string_value String, bool_value Bool, int_value Int64, double_value Float64,
                    bytes_value String))),
                start_time_unix_nano UInt64, time_unix_nano UInt64, flags UInt32,
                value Int8, as_double Float64, as_int Int64))),
            sum Tuple(
                data_points Array(Tuple(
                    attributes Array(Tuple(key String, value Tuple(
                        value Int8, string_value String, bool_value Bool, int_value Int64, double_value Float64,
                        bytes_value String))),
                    start_time_unix_nano UInt64, time_unix_nano UInt64, flags UInt32,
                    value Int8, as_double Float64, as_int Int64)),
                aggregation_temporality Int32,
                is_monotonic Bool),
            histogram Tuple(
                data_points Array(Tuple(
                    attributes Array(Tuple(key String, value Tuple(
                        value Int8, string_value String, bool_value Bool, int_value Int64, double_value Float64,
                        bytes_value String))),
                    start_time_unix_nano UInt64, time_unix_nano UInt64, flags UInt32,
                    count UInt64, sum Float64, min Float64, max Float64,
                    bucket_counts Array(UInt64), explicit_bounds Array(Float64))),
                aggregation_temporality Int32),
            exponential_histogram Tuple(
                data_points Array(Tuple(
                    attributes Array(Tuple(key String, value Tuple(
                        value Int8, string_value String, bool_value Bool, int_value Int64, double_value Float64,
                        bytes_value String))),
                    start_time_unix_nano UInt64, time_unix_nano UInt64, flags UInt32,
                    count UInt64, sum Float64, min Float64, max Float64,
                    scale Int32, zero_count UInt64,
                    positive Tuple(offset Int32, bucket_counts Array(UInt64)),
                    negative Tuple(offset Int32, bucket_counts Array(UInt64)))),
                aggregation_temporality Int32),
            summary Tuple(data_points Array(Tuple(
                attributes Array(Tuple(key String, value Tuple(
                    value Int8, string_value String, bool_value Bool, int_value Int64, double_value Float64,
                    bytes_value String))),
                start_time_unix_nano UInt64, time_unix_nano UInt64, flags UInt32,
                count UInt64, sum Float64,
                quantile_values Array(Tuple(quantile Float64, value Float64))))))))))))
)
ENGINE = Null;

-- What one process sent, with its resource attributes as a map. On its way, kept nowhere.
CREATE TABLE IF NOT EXISTS arriving_resource_metrics (
    app LowCardinality(String),
    received_unix_nano UInt64,
    received DateTime('UTC'),
    service LowCardinality(String),
    instance LowCardinality(String),
    host LowCardinality(String),
    resource Map(String, String),
    scopes Array(Tuple(metrics Array(Tuple(
        name String,
        unit String,
        gauge Tuple(data_points Array(Tuple(
            attributes Array(Tuple(key String, value Tuple(
                value Int8, string_value String, bool_value Bool, int_value Int64, double_value Float64,
                bytes_value String))),
            start_time_unix_nano UInt64, time_unix_nano UInt64, flags UInt32,
            value Int8, as_double Float64, as_int Int64))),
        sum Tuple(
            data_points Array(Tuple(
                attributes Array(Tuple(key String, value Tuple(
                    value Int8, string_value String, bool_value Bool, int_value Int64, double_value Float64,
                    bytes_value String))),
                start_time_unix_nano UInt64, time_unix_nano UInt64, flags UInt32,
                value Int8, as_double Float64, as_int Int64)),
            aggregation_temporality Int32,
            is_monotonic Bool),
        histogram Tuple(
            data_points Array(Tuple(
                attributes Array(Tuple(key String, value Tuple(
                    value Int8, string_value String, bool_value Bool, int_value Int64, double_value Float64,
                    bytes_value String))),
                start_time_unix_nano UInt64, time_unix_nano UInt64, flags UInt32,
                count UInt64, sum Float64, min Float64, max Float64,
                bucket_counts Array(UInt64), explicit_bounds Array(Float64))),
            aggregation_temporality Int32),
        exponential_histogram Tuple(
            data_points Array(Tuple(
                attributes Array(Tuple(key String, value Tuple(
                    value Int8, string_value String, bool_value Bool, int_value Int64, double_value Float64,
                    bytes_value String))),
                start_time_unix_nano UInt64, time_unix_nano UInt64, flags UInt32,
                count UInt64, sum Float64, min Float64, max Float64,
                scale Int32, zero_count UInt64,
                positive Tuple(offset Int32, bucket_counts Array(UInt64)),
                negative Tuple(offset Int32, bucket_counts Array(UInt64)))),
            aggregation_temporality Int32),
        summary Tuple(data_points Array(Tuple(
            attributes Array(Tuple(key String, value Tuple(
                value Int8, string_value String, bool_value Bool, int_value Int64, double_value Float64,
                bytes_value String))),
            start_time_unix_nano UInt64, time_unix_nano UInt64, flags UInt32,
            count UInt64, sum Float64,
            quantile_values Array(Tuple(quantile Float64, value Float64)))))))))
)
ENGINE = Null;

CREATE MATERIALIZED VIEW IF NOT EXISTS arriving_resource_metrics_of_intake TO arriving_resource_metrics AS
SELECT
    app, received_unix_nano,
    toDateTime(intDiv(received_unix_nano, 1000000000), 'UTC') AS received,
    sonde_service(resource) AS service,
    sonde_instance(resource) AS instance,
    resource['host.name'] AS host,
    resource, scopes
FROM (
    SELECT
        app, received_unix_nano,
        mapFromArrays(r.resource.attributes.key, arrayMap(v -> sonde_text(v), r.resource.attributes.value)) AS resource,
        r.scope_metrics AS scopes
    FROM (SELECT app, received_unix_nano, arrayJoin(metrics.resource_metrics) AS r FROM intake_metrics)
);

CREATE MATERIALIZED VIEW IF NOT EXISTS instances_of_metrics TO instances AS
SELECT
    app, service, instance, host,
    resource['telemetry.sdk.language'] AS language,
    max(received) AS last_seen,
    anyLast(resource) AS attributes
FROM arriving_resource_metrics
GROUP BY app, service, instance, host, language;

-- One row a point. Gauges and sums fill `value`; the others fill `count`, `sum` and either buckets or quantiles.
CREATE TABLE IF NOT EXISTS metrics (
    app LowCardinality(String),
    service LowCardinality(String),
    instance LowCardinality(String),
    host LowCardinality(String),
    name LowCardinality(String),
    unit LowCardinality(String),
    type Enum8('gauge' = 1, 'sum' = 2, 'histogram' = 3, 'exponential_histogram' = 4, 'summary' = 5),
    temporality Enum8('unspecified' = 0, 'delta' = 1, 'cumulative' = 2),
    monotonic Bool,
    time DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)),
    start_time DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)),
    attributes Map(LowCardinality(String), String) CODEC(ZSTD(1)),
    value Float64 CODEC(ZSTD(1)),
    count UInt64 CODEC(T64, ZSTD(1)),
    sum Float64 CODEC(ZSTD(1)),
    min Float64 CODEC(ZSTD(1)),
    max Float64 CODEC(ZSTD(1)),
    bounds Array(Float64) CODEC(ZSTD(1)) COMMENT 'upper bounds of all buckets but the last, which has none',
    bucket_counts Array(UInt64) CODEC(ZSTD(1)),
    quantiles Array(Tuple(quantile Float64, value Float64)) CODEC(ZSTD(1))
)
ENGINE = MergeTree
PARTITION BY toDate(time)
ORDER BY (name, app, host, service, instance, time)
TTL toDateTime(time) + INTERVAL 30 DAY
SETTINGS ttl_only_drop_parts = 1, non_replicated_deduplication_window = 10000;

CREATE TABLE IF NOT EXISTS arriving_metrics (
    app LowCardinality(String),
    service LowCardinality(String),
    instance LowCardinality(String),
    host LowCardinality(String),
    name LowCardinality(String),
    unit LowCardinality(String),
    type Enum8('gauge' = 1, 'sum' = 2, 'histogram' = 3, 'exponential_histogram' = 4, 'summary' = 5),
    temporality Enum8('unspecified' = 0, 'delta' = 1, 'cumulative' = 2),
    monotonic Bool,
    time DateTime64(3, 'UTC'),
    start_time DateTime64(3, 'UTC'),
    attributes Map(LowCardinality(String), String),
    value Float64,
    count UInt64,
    sum Float64,
    min Float64,
    max Float64,
    bounds Array(Float64),
    bucket_counts Array(UInt64),
    quantiles Array(Tuple(quantile Float64, value Float64)),
    received DateTime('UTC'),
    fault LowCardinality(String)
)
ENGINE = Null;

-- All five kinds of points become one tuple: (type, temporality, monotonic, keys, values, start, time, flags, value, count,
-- sum, min, max, bounds, counts, quantiles). An exponential histogram is turned into one with bounds: bucket i of scale s
-- ends at (2 ^ 2 ^ -s) ^ (offset + i + 1); the negative ones are its mirror, with the zeros between.
CREATE MATERIALIZED VIEW IF NOT EXISTS arriving_metrics_of_intake TO arriving_metrics AS
SELECT
    app, service, instance, host,
    name, unit,
    CAST(p.1 AS Enum8('gauge' = 1, 'sum' = 2, 'histogram' = 3, 'exponential_histogram' = 4, 'summary' = 5)) AS type,
    CAST(if(p.2 BETWEEN 1 AND 2, p.2, 0) AS Enum8('unspecified' = 0, 'delta' = 1, 'cumulative' = 2)) AS temporality,
    p.3 AS monotonic,
    fromUnixTimestamp64Milli(toInt64(intDiv(p.7, 1000000)), 'UTC') AS time,
    fromUnixTimestamp64Milli(toInt64(intDiv(p.6, 1000000)), 'UTC') AS start_time,
    mapFromArrays(p.4, arrayMap(v -> sonde_scalar(v), p.5)) AS attributes,
    p.9 AS value, p.10 AS count, p.11 AS sum, p.12 AS min, p.13 AS max, p.14 AS bounds, p.15 AS bucket_counts,
    p.16 AS quantiles,
    received,
    multiIf(
        bitAnd(p.8, 1) = 1, 'no_recorded_value',
        sonde_time_fault(p.7, received_unix_nano)) AS fault
FROM (
    SELECT
        app, received_unix_nano, received, service, instance, host, m.name AS name, m.unit AS unit,
        arrayJoin(arrayConcat(
            arrayMap(p -> (
                1::Int8, 0::Int32, false, p.attributes.key, p.attributes.value, p.start_time_unix_nano,
                p.time_unix_nano, p.flags, if(p.value = 6, toFloat64(p.as_int), p.as_double),
                0::UInt64, 0::Float64, 0::Float64, 0::Float64,
                []::Array(Float64), []::Array(UInt64), []::Array(Tuple(Float64, Float64))
            ), m.gauge.data_points),
            arrayMap(p -> (
                2::Int8, m.sum.aggregation_temporality, m.sum.is_monotonic, p.attributes.key, p.attributes.value,
                p.start_time_unix_nano, p.time_unix_nano, p.flags, if(p.value = 6, toFloat64(p.as_int), p.as_double),
                0::UInt64, 0::Float64, 0::Float64, 0::Float64,
                []::Array(Float64), []::Array(UInt64), []::Array(Tuple(Float64, Float64))
            ), m.sum.data_points),
            arrayMap(p -> (
                3::Int8, m.histogram.aggregation_temporality, false, p.attributes.key, p.attributes.value,
                p.start_time_unix_nano, p.time_unix_nano, p.flags, 0::Float64,
                p.count, p.sum, p.min, p.max, p.explicit_bounds, p.bucket_counts, []::Array(Tuple(Float64, Float64))
            ), m.histogram.data_points),
            arrayMap(p -> (
                4::Int8, m.exponential_histogram.aggregation_temporality, false, p.attributes.key, p.attributes.value,
                p.start_time_unix_nano, p.time_unix_nano, p.flags, 0::Float64,
                p.count, p.sum, p.min, p.max,
                arrayConcat(
                    arrayMap(
                        i -> -exp2(exp2(-p.scale) * (p.negative.offset + i)),
                        arrayReverse(arrayEnumerate(p.negative.bucket_counts))),
                    if(empty(p.negative.bucket_counts), [], [-exp2(exp2(-p.scale) * p.negative.offset)]),
                    if(empty(p.positive.bucket_counts), [], [exp2(exp2(-p.scale) * p.positive.offset)]),
                    arrayMap(
                        i -> exp2(exp2(-p.scale) * (p.positive.offset + i)),
                        arrayEnumerate(p.positive.bucket_counts))),
                arrayConcat(
                    if(empty(p.negative.bucket_counts), [], [0::UInt64]),
                    arrayReverse(p.negative.bucket_counts),
                    [p.zero_count],
                    p.positive.bucket_counts,
                    if(empty(p.positive.bucket_counts), [], [0::UInt64])),
                []::Array(Tuple(Float64, Float64))
            ), m.exponential_histogram.data_points),
            arrayMap(p -> (
                5::Int8, 2::Int32, false, p.attributes.key, p.attributes.value,
                p.start_time_unix_nano, p.time_unix_nano, p.flags, 0::Float64,
                p.count, p.sum, 0::Float64, 0::Float64, []::Array(Float64), []::Array(UInt64),
                arrayMap(v -> (v.quantile, v.value), p.quantile_values)
            ), m.summary.data_points)
        )) AS p
    FROM (
        SELECT app, received_unix_nano, received, service, instance, host, arrayJoin(arrayJoin(scopes).metrics) AS m
        FROM arriving_resource_metrics
    )
);

CREATE MATERIALIZED VIEW IF NOT EXISTS metrics_of_arriving TO metrics AS
SELECT * EXCEPT (received, fault) FROM arriving_metrics WHERE fault = '';

CREATE MATERIALIZED VIEW IF NOT EXISTS dropped_metrics TO dropped AS
SELECT toStartOfInterval(received, INTERVAL 30 SECOND) AS slot, app, 'metrics' AS signal, fault AS reason, count() AS count
FROM arriving_metrics
WHERE fault != ''
GROUP BY slot, app, reason;
