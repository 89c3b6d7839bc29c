-- Requests (entry spans) and outgoing calls by slots of 30 s. Figures of a service are those of its entry spans:
-- WHERE is_entry. Apdex counts are for T = 500 ms; for another T, and for every other threshold, there is the histogram.
CREATE TABLE IF NOT EXISTS rollup_30s (
    slot DateTime('UTC') CODEC(DoubleDelta, ZSTD(1)),
    app LowCardinality(String),
    service LowCardinality(String),
    kind Enum8('internal' = 1, 'server' = 2, 'client' = 3, 'producer' = 4, 'consumer' = 5),
    is_entry Bool,
    is_root Bool COMMENT 'has no parent: called by nobody who is traced',
    endpoint LowCardinality(String),
    instance LowCardinality(String),
    status_code UInt16,
    count SimpleAggregateFunction(sum, UInt64) CODEC(T64, ZSTD(1)),
    errors SimpleAggregateFunction(sum, UInt64) CODEC(T64, ZSTD(1)),
    sum_ns SimpleAggregateFunction(sum, UInt64) CODEC(T64, ZSTD(1)),
    min_ns SimpleAggregateFunction(min, UInt64) CODEC(T64, ZSTD(1)),
    max_ns SimpleAggregateFunction(max, UInt64) CODEC(T64, ZSTD(1)),
    satisfied SimpleAggregateFunction(sum, UInt64) CODEC(T64, ZSTD(1)) COMMENT 'no error, within T',
    tolerating SimpleAggregateFunction(sum, UInt64) CODEC(T64, ZSTD(1)) COMMENT 'no error, within 4 T',
    last_seen SimpleAggregateFunction(max, DateTime('UTC')) CODEC(Delta, ZSTD(1))
)
ENGINE = AggregatingMergeTree
PARTITION BY toDate(slot)
ORDER BY (toStartOfHour(slot), app, service, kind, is_entry, is_root, endpoint, instance, status_code, slot)
TTL slot + INTERVAL 90 DAY
SETTINGS ttl_only_drop_parts = 1, non_replicated_deduplication_window = 10000;

-- Two maps to numbers of requests: from sonde_bucket, of which four in a row are used, mostly, and from sonde_step.
ALTER TABLE rollup_30s
    ADD COLUMN IF NOT EXISTS error_sum_ns SimpleAggregateFunction(sum, UInt64) CODEC(T64, ZSTD(1)),
    ADD COLUMN IF NOT EXISTS histogram SimpleAggregateFunction(sumMap, Map(UInt8, UInt64)) CODEC(ZSTD(1)),
    ADD COLUMN IF NOT EXISTS written SimpleAggregateFunction(max, DateTime('UTC')) CODEC(Delta, ZSTD(1))
        COMMENT 'when the last of it came into the table: long slots that are older are made again',
    ADD COLUMN IF NOT EXISTS by_duration SimpleAggregateFunction(sumMap, Map(UInt16, UInt64))
        DEFAULT sonde_steps_of_buckets(histogram) CODEC(ZSTD(1)),
    DROP COLUMN IF EXISTS durations,
    ADD INDEX IF NOT EXISTS by_written written TYPE minmax;

-- Until statistics had histograms, and until they had long slots.
DROP VIEW IF EXISTS rollup_30s_of_spans;

DROP VIEW IF EXISTS rollup_30s_of_tallies;

DROP VIEW IF EXISTS measured_rollup_30s_of_spans;

DROP VIEW IF EXISTS measured_rollup_30s_of_tallies;

-- Until percentiles were of steps.
DROP VIEW IF EXISTS rollup_30s_from_spans;

CREATE MATERIALIZED VIEW IF NOT EXISTS rollup_30s_by_spans TO rollup_30s AS
SELECT
    toStartOfInterval(toDateTime(start_time), INTERVAL 30 SECOND) AS slot,
    app, service, kind, is_entry,
    parent_id = toFixedString('', 8) AS is_root,
    endpoint, instance, status_code,
    count() AS count,
    countIf(is_error) AS errors,
    sum(duration_ns) AS sum_ns,
    sumIf(duration_ns, is_error) AS error_sum_ns,
    min(duration_ns) AS min_ns,
    max(duration_ns) AS max_ns,
    countIf(NOT is_error AND duration_ns <= 500000000) AS satisfied,
    countIf(NOT is_error AND duration_ns > 500000000 AND duration_ns <= 2000000000) AS tolerating,
    toDateTime(max(start_time)) AS last_seen,
    now('UTC') AS written,
    sumMap(map(sonde_bucket(duration_ns, is_error), toUInt64(1))) AS histogram,
    sumMap(map(sonde_step(duration_ns), toUInt64(1))) AS by_duration
FROM spans
WHERE is_entry OR kind IN ('client', 'producer')
GROUP BY slot, app, service, kind, is_entry, is_root, endpoint, instance, status_code;

CREATE MATERIALIZED VIEW IF NOT EXISTS rollup_30s_by_tallies TO rollup_30s AS
SELECT
    slot, app, service, kind, is_entry, is_root, endpoint, instance, status_code,
    count, errors, sum_ns, error_sum_ns, min_ns, max_ns, satisfied, tolerating, last_seen, histogram, by_duration,
    now('UTC') AS written
FROM arriving_tallies
WHERE is_entry OR kind IN ('client', 'producer');
