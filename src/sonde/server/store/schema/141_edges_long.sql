-- edges_30s in longer slots, as rollup_long is rollup_30s.
CREATE TABLE IF NOT EXISTS edges_long (
    slot_s UInt32 COMMENT 'how long the slot is: 900 or 21600' CODEC(ZSTD(1)),
    slot DateTime('UTC') CODEC(DoubleDelta, ZSTD(1)),
    app LowCardinality(String),
    service LowCardinality(String),
    kind Enum8('internal' = 1, 'server' = 2, 'client' = 3, 'producer' = 4, 'consumer' = 5),
    peer LowCardinality(String),
    system LowCardinality(String),
    count SimpleAggregateFunction(sum, UInt64) CODEC(T64, ZSTD(1)),
    errors SimpleAggregateFunction(sum, UInt64) CODEC(T64, ZSTD(1)),
    sum_ns SimpleAggregateFunction(sum, UInt64) CODEC(T64, ZSTD(1)),
    max_ns SimpleAggregateFunction(max, UInt64) CODEC(T64, ZSTD(1)),
    durations AggregateFunction(quantilesTDigest(0.5, 0.95, 0.99), UInt64) CODEC(ZSTD(1))
)
ENGINE = AggregatingMergeTree
PARTITION BY toDate(slot)
ORDER BY (slot_s, app, service, kind, peer, system, slot)
TTL slot + INTERVAL 90 DAY
SETTINGS ttl_only_drop_parts = 1, non_replicated_deduplication_window = 10000, index_granularity = 1024;

CREATE MATERIALIZED VIEW IF NOT EXISTS edges_long_of_edges_30s TO edges_long AS
SELECT
    long_s AS slot_s,
    toDateTime(intDiv(toUnixTimestamp(edges_30s.slot), slot_s) * slot_s, 'UTC') AS slot,
    app, service, kind, peer, system,
    sum(count) AS count,
    sum(errors) AS errors,
    sum(sum_ns) AS sum_ns,
    max(max_ns) AS max_ns,
    quantilesTDigestMergeState(0.5, 0.95, 0.99)(durations) AS durations
FROM edges_30s
ARRAY JOIN [900, 21600] AS long_s
GROUP BY slot_s, slot, app, service, kind, peer, system;
