-- Failed spans with what went wrong, kept longer than spans: for what fails, where, and since when. It is grouped when it
-- is read (queries/failures.py): working out on the spans' way to which group each belongs cost a third of a load.
CREATE TABLE IF NOT EXISTS failures (
    start_time DateTime64(6, 'UTC') CODEC(Delta, ZSTD(1)),
    app LowCardinality(String),
    service LowCardinality(String),
    instance LowCardinality(String),
    endpoint LowCardinality(String),
    is_entry Bool,
    duration_ns UInt64 CODEC(T64, ZSTD(1)),
    status_code UInt16 CODEC(ZSTD(1)),
    type LowCardinality(String) COMMENT 'exception.type, else error.type',
    message String CODEC(ZSTD(1)) COMMENT 'exception.message, else that of the status; its first 4 KiB',
    stack LowCardinality(String) COMMENT 'exception.stacktrace; of a longer one the first and the last 16 KiB',
    trace_id FixedString(16) CODEC(ZSTD(1)),
    span_id FixedString(8) CODEC(NONE)
)
ENGINE = MergeTree
PARTITION BY toDate(start_time)
ORDER BY (toStartOfHour(start_time), app, service, start_time)
TTL toDateTime(start_time) + INTERVAL 90 DAY
SETTINGS ttl_only_drop_parts = 1, non_replicated_deduplication_window = 10000, min_bytes_for_wide_part = 268435456;

CREATE MATERIALIZED VIEW IF NOT EXISTS failures_of_spans TO failures AS
SELECT
    start_time, app, service, instance, endpoint, is_entry, duration_ns, status_code,
    if(exception_type != '', exception_type, attributes['error.type']) AS type,
    substring(if(exception_message != '', exception_message, status_message), 1, 4096) AS message,
    if(length(whole_stack) <= 32768, whole_stack,
        concat(substring(whole_stack, 1, 16384), '\n', substring(whole_stack, -16384))) AS stack,
    trace_id, span_id
FROM (
    SELECT
        start_time, app, service, instance, endpoint, is_entry, duration_ns, status_code, status_message, attributes,
        arrayFirst(e -> e.name = 'exception', events).attributes AS exception,
        exception['exception.type'] AS exception_type,
        exception['exception.message'] AS exception_message,
        exception['exception.stacktrace'] AS whole_stack,
        trace_id, span_id
    FROM spans
    WHERE is_error
);
