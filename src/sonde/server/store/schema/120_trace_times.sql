-- When a trace took place, so that finding it by id reads minutes and not days. Keyed by the id's last eight bytes: they
-- are the random ones in every format (64-bit ids are padded in front), and two traces sharing them only widen a range.
CREATE TABLE IF NOT EXISTS trace_times (
    trace_id_end FixedString(8) CODEC(NONE),
    start_time SimpleAggregateFunction(min, DateTime('UTC')) CODEC(ZSTD(1)),
    end_time SimpleAggregateFunction(max, DateTime('UTC')) CODEC(ZSTD(1)) COMMENT 'when the last span started'
)
ENGINE = AggregatingMergeTree
PARTITION BY toDate(start_time)
ORDER BY trace_id_end
TTL start_time + INTERVAL 7 DAY
SETTINGS ttl_only_drop_parts = 1, non_replicated_deduplication_window = 10000, index_granularity = 2048;

CREATE MATERIALIZED VIEW IF NOT EXISTS trace_times_of_spans TO trace_times AS
SELECT
    toFixedString(substring(trace_id, 9, 8), 8) AS trace_id_end,
    toDateTime(min(spans.start_time)) AS start_time,
    toDateTime(max(spans.start_time)) AS end_time
FROM spans
GROUP BY trace_id_end;
