-- edges_30s in longer slots, as request_slots is rollup_30s.
CREATE TABLE IF NOT EXISTS edges_long (
    slot_s UInt32 COMMENT 'how long the slot is: from 900 to 691200, see rollups.py' CODEC(ZSTD(1)),
    slot DateTime('UTC') CODEC(DoubleDelta, ZSTD(1)),
    app LowCardinality(String),
    service LowCardinality(String),
    kind Enum8('internal' = 1, 'server' = 2, 'client' = 3, 'producer' = 4, 'consumer' = 5),
    peer LowCardinality(String),
    system LowCardinality(String),
    count UInt64 CODEC(T64, ZSTD(1)),
    errors UInt64 CODEC(T64, ZSTD(1)),
    sum_ns UInt64 CODEC(T64, ZSTD(1)),
    max_ns UInt64 CODEC(T64, ZSTD(1)),
    histogram Map(UInt8, UInt64) CODEC(ZSTD(1)),
    by_duration Map(UInt16, UInt64) CODEC(ZSTD(1)),
    made DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1))
)
ENGINE = ReplacingMergeTree(made)
PARTITION BY toDate(slot)
ORDER BY (slot_s, slot, app, service, kind, peer, system)
TTL (slot + toIntervalSecond(slot_s)) + INTERVAL 90 DAY
SETTINGS ttl_only_drop_parts = 1, index_granularity = 1024,
    -- of a day that is over, slots that were made again are not read in all their makings
    min_age_to_force_merge_seconds = 7200, min_age_to_force_merge_on_partition_only = 1;

-- Until percentiles were of steps.
ALTER TABLE edges_long
    ADD COLUMN IF NOT EXISTS by_duration Map(UInt16, UInt64) CODEC(ZSTD(1)),
    DROP COLUMN IF EXISTS durations;
