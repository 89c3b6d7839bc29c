-- rollup_30s in longer slots, for longer times: of an endpoint whatever the instance, and of an instance whatever the
-- endpoint. Made of what is put into rollup_30s, with it: both hold the same requests at any moment. A quarter of an hour
-- is what every UTC offset is a multiple of, so that days of any zone can be made of it; six hours make weeks cheap.
-- server/store/queries/rollups.py chooses among them.
CREATE TABLE IF NOT EXISTS rollup_long (
    slot_s UInt32 COMMENT 'how long the slot is: 900 or 21600' CODEC(ZSTD(1)),
    kept_by Enum8('endpoint' = 1, 'instance' = 2) COMMENT 'the other one is empty' CODEC(ZSTD(1)),
    slot DateTime('UTC') CODEC(DoubleDelta, ZSTD(1)),
    app LowCardinality(String),
    service LowCardinality(String),
    kind Enum8('internal' = 1, 'server' = 2, 'client' = 3, 'producer' = 4, 'consumer' = 5),
    is_entry Bool,
    is_root Bool,
    endpoint LowCardinality(String),
    instance LowCardinality(String),
    status_code UInt16,
    count SimpleAggregateFunction(sum, UInt64) CODEC(T64, ZSTD(1)),
    errors SimpleAggregateFunction(sum, UInt64) CODEC(T64, ZSTD(1)),
    sum_ns SimpleAggregateFunction(sum, UInt64) CODEC(T64, ZSTD(1)),
    error_sum_ns SimpleAggregateFunction(sum, UInt64) CODEC(T64, ZSTD(1)),
    min_ns SimpleAggregateFunction(min, UInt64) CODEC(T64, ZSTD(1)),
    max_ns SimpleAggregateFunction(max, UInt64) CODEC(T64, ZSTD(1)),
    satisfied SimpleAggregateFunction(sum, UInt64) CODEC(T64, ZSTD(1)),
    tolerating SimpleAggregateFunction(sum, UInt64) CODEC(T64, ZSTD(1)),
    last_seen SimpleAggregateFunction(max, DateTime('UTC')) CODEC(Delta, ZSTD(1)),
    histogram SimpleAggregateFunction(sumMap, Map(UInt8, UInt64)) CODEC(ZSTD(1)),
    durations AggregateFunction(quantilesTDigest(0.5, 0.95, 0.99), UInt64) CODEC(ZSTD(1))
)
ENGINE = AggregatingMergeTree
PARTITION BY toDate(slot)
ORDER BY (slot_s, kept_by, app, service, kind, is_entry, is_root, endpoint, instance, status_code, slot)
TTL slot + INTERVAL 90 DAY
SETTINGS ttl_only_drop_parts = 1, non_replicated_deduplication_window = 10000, index_granularity = 1024;

CREATE MATERIALIZED VIEW IF NOT EXISTS rollup_long_of_rollup_30s TO rollup_long AS
SELECT
    long.1 AS slot_s,
    long.2 AS kept_by,
    toDateTime(intDiv(toUnixTimestamp(rollup_30s.slot), slot_s) * slot_s, 'UTC') AS slot,
    app, service, kind, is_entry, is_root,
    if(kept_by = 'endpoint', rollup_30s.endpoint, '') AS endpoint,
    if(kept_by = 'instance', rollup_30s.instance, '') AS instance,
    status_code,
    sum(count) AS count,
    sum(errors) AS errors,
    sum(sum_ns) AS sum_ns,
    sum(error_sum_ns) AS error_sum_ns,
    min(min_ns) AS min_ns,
    max(max_ns) AS max_ns,
    sum(satisfied) AS satisfied,
    sum(tolerating) AS tolerating,
    max(last_seen) AS last_seen,
    sumMap(histogram) AS histogram,
    quantilesTDigestMergeState(0.5, 0.95, 0.99)(durations) AS durations
FROM rollup_30s
ARRAY JOIN [(900, 'endpoint'), (21600, 'endpoint'), (900, 'instance'), (21600, 'instance')] AS long
GROUP BY slot_s, kept_by, slot, app, service, kind, is_entry, is_root, endpoint, instance, status_code;
