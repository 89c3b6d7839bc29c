-- rollup_30s by less, for longer times: of an endpoint whatever the instance, of an instance whatever the
-- endpoint, of a service whatever both, and of an app whatever all three. Not made by a view on the way of the spans,
-- which would cost each insert more than the slots cost altogether: upkeep makes them when their time is over, and again
-- when something came late (server/store/queries/long_slots.py); the last making is the one that counts. A quarter of an
-- hour is what every UTC offset is a multiple of, so that days of any zone can be made of it; longer ones, each made of
-- the next shorter, make weeks cheap. Of services and apps there are half minutes, too, for
-- alarms that look back. server/store/queries/rollups.py chooses among them.
--
-- What is kept by the same stands together: a series of an app or a service over weeks reads a few rows of each of
-- hundreds of slots, which behind those of all endpoints would be a part of the file each. So do, within an hour, the
-- short slots of a service: a backtest reads weeks of them.
DROP TABLE IF EXISTS rollup_long;

DROP TABLE IF EXISTS requests_long;

CREATE TABLE IF NOT EXISTS request_slots (
    slot_s UInt32 COMMENT 'how long the slot is: from 900 to 691200, see rollups.py; of a service and an app 30, too' CODEC(ZSTD(1)),
    kept_by Enum8('endpoint' = 1, 'instance' = 2, 'service' = 3, 'app' = 4)
        COMMENT 'of service, endpoint and instance, others are empty' CODEC(ZSTD(1)),
    slot DateTime('UTC') CODEC(DoubleDelta, ZSTD(1)),
    app LowCardinality(String),
    service LowCardinality(String),
    kind Enum8('internal' = 1, 'server' = 2, 'client' = 3, 'producer' = 4, 'consumer' = 5),
    is_entry Bool,
    is_root Bool,
    endpoint LowCardinality(String),
    instance LowCardinality(String),
    status_code UInt16,
    count UInt64 CODEC(T64, ZSTD(1)),
    errors UInt64 CODEC(T64, ZSTD(1)),
    sum_ns UInt64 CODEC(T64, ZSTD(1)),
    error_sum_ns UInt64 CODEC(T64, ZSTD(1)),
    min_ns UInt64 CODEC(T64, ZSTD(1)),
    max_ns UInt64 CODEC(T64, ZSTD(1)),
    satisfied UInt64 CODEC(T64, ZSTD(1)),
    tolerating UInt64 CODEC(T64, ZSTD(1)),
    last_seen DateTime('UTC') CODEC(Delta, ZSTD(1)),
    histogram Map(UInt8, UInt64) CODEC(ZSTD(1)),
    by_duration Map(UInt16, UInt64) CODEC(ZSTD(1)),
    made DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1))
)
ENGINE = ReplacingMergeTree(made)
PARTITION BY toDate(slot)
ORDER BY (
    kept_by, slot_s, toStartOfHour(slot), app, service, kind, is_entry, is_root, endpoint, instance, status_code, slot)
TTL (slot + toIntervalSecond(slot_s)) + INTERVAL 90 DAY
SETTINGS ttl_only_drop_parts = 1, index_granularity = 1024,
    -- of a day that is over, slots that were made again are not read in all their makings
    min_age_to_force_merge_seconds = 7200, min_age_to_force_merge_on_partition_only = 1;

-- Until when long slots are made, and which rows, by the time they were written, are in them.
CREATE TABLE IF NOT EXISTS long_slots_made (
    until DateTime('UTC'),
    of_rows_until DateTime('UTC'),
    made DateTime64(3, 'UTC')
)
ENGINE = ReplacingMergeTree(made)
ORDER BY tuple();

ALTER TABLE long_slots_made ADD COLUMN IF NOT EXISTS made_as String COMMENT 'lengths, and by what; others are not made';
