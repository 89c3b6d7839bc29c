-- What was accepted and could not be stored, by reason; and spans that no statistic counts.
CREATE TABLE IF NOT EXISTS dropped (
    slot DateTime('UTC') COMMENT 'time of receipt, floor to 30 s',
    app LowCardinality(String),
    signal LowCardinality(String) COMMENT 'traces, metrics, logs',
    reason LowCardinality(String) COMMENT 'too_old, in_future, bad_trace_id, bad_span_id, bad_parent_id',
    count UInt64
)
ENGINE = SummingMergeTree(count)
PARTITION BY toDate(slot)
ORDER BY (slot, app, signal, reason)
TTL slot + INTERVAL 30 DAY
SETTINGS ttl_only_drop_parts = 1, non_replicated_deduplication_window = 10000;
