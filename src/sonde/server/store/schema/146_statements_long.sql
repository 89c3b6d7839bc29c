-- Calls by what they look like without their values, in long slots: what pages about slow statements and calls read. Made by
-- upkeep of the spans of a quarter of an hour when it is over, longer ones of those; made again when something came late
-- (server/store/queries/long_statements.py). Of an app and a slot the calls that take most time are kept, the others are added
-- up by service and kind: `is_rest`. server/store/queries/statement_sums.py reads them, and spans where nothing is made.
CREATE TABLE IF NOT EXISTS statements_long (
    slot_s UInt32 COMMENT 'how long the slot is: from 900 to 691200, see rollups.py' CODEC(ZSTD(1)),
    slot DateTime('UTC') CODEC(DoubleDelta, ZSTD(1)),
    call_kind LowCardinality(String) COMMENT 'sql, cache, http, rpc or mq',
    app LowCardinality(String),
    service LowCardinality(String),
    system LowCardinality(String),
    peer LowCardinality(String),
    endpoint LowCardinality(String) COMMENT 'name of the span',
    path LowCardinality(String) COMMENT 'of HTTP: that of the address, without values',
    shape_hash UInt64 COMMENT 'the fingerprint of a statement; 0: without statement, which goes by its name' CODEC(ZSTD(1)),
    is_rest Bool,
    shape LowCardinality(String) COMMENT 'the statement without values, as much as is shown of it',
    groups UInt64 COMMENT 'how many ways to call a rest is of, else 1' CODEC(T64, ZSTD(1)),
    calls UInt64 COMMENT '0: there was such a row when this was made before' CODEC(T64, ZSTD(1)),
    errors UInt64 CODEC(T64, ZSTD(1)),
    sum_ns UInt64 CODEC(T64, ZSTD(1)),
    max_ns UInt64 CODEC(T64, ZSTD(1)),
    first_seen DateTime64(6, 'UTC') CODEC(Delta, ZSTD(1)),
    last_seen DateTime64(6, 'UTC') CODEC(Delta, ZSTD(1)),
    trace_id FixedString(16) COMMENT 'of the slowest call' CODEC(NONE),
    span_id FixedString(8) CODEC(NONE),
    by_duration Map(UInt16, UInt64) CODEC(ZSTD(1)),
    made DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1))
)
ENGINE = ReplacingMergeTree(made)
PARTITION BY toDate(slot)
ORDER BY (slot_s, slot, call_kind, app, service, system, peer, endpoint, path, shape_hash, is_rest)
TTL (slot + toIntervalSecond(slot_s)) + INTERVAL 7 DAY
SETTINGS ttl_only_drop_parts = 1, index_granularity = 1024,
    -- of a day that is over, slots that were made again are not read in all their makings
    min_age_to_force_merge_seconds = 7200, min_age_to_force_merge_on_partition_only = 1;

-- Until percentiles were of steps.
ALTER TABLE statements_long
    ADD COLUMN IF NOT EXISTS by_duration Map(UInt16, UInt64) CODEC(ZSTD(1)),
    DROP COLUMN IF EXISTS durations;

-- As long_slots_made.
CREATE TABLE IF NOT EXISTS long_statements_made (
    until DateTime('UTC'),
    of_rows_until DateTime('UTC'),
    made DateTime64(3, 'UTC')
)
ENGINE = ReplacingMergeTree(made)
ORDER BY tuple();

ALTER TABLE long_statements_made ADD COLUMN IF NOT EXISTS made_as String COMMENT 'lengths, and by what; others are not made';
