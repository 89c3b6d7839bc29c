-- Calls of which both ends were seen: what the caller's span says of them, and what the callee's says; by the slot in which
-- the callee began. Not made by a view on the way of the spans: upkeep learns them from traces that both took part in, again
-- and again while spans of a slot may still come, and the last learning is the one that counts. Of many spans it is a sample
-- by trace, so these figures are durations and shares, never traffic; traffic is in `edges_30s`.
CREATE TABLE IF NOT EXISTS hops_30s (
    slot DateTime('UTC') CODEC(DoubleDelta, ZSTD(1)),
    app LowCardinality(String),
    service LowCardinality(String) COMMENT 'who calls',
    peer LowCardinality(String) COMMENT 'what the caller calls it',
    target LowCardinality(String) COMMENT 'the service that answers',
    is_message Bool COMMENT 'producer and consumer, else client and server',
    calls UInt64 CODEC(T64, ZSTD(1)),
    errors UInt64 CODEC(T64, ZSTD(1)) COMMENT 'of the callee',
    caller_ns UInt64 CODEC(T64, ZSTD(1)) COMMENT 'durations of the callers together',
    callee_ns UInt64 CODEC(T64, ZSTD(1)),
    callee_max_ns UInt64 CODEC(T64, ZSTD(1)),
    lag_ns UInt64 CODEC(T64, ZSTD(1)) COMMENT 'from the start of the caller to that of the callee, together',
    callees_by_duration Map(UInt16, UInt64) CODEC(ZSTD(1)),
    learned DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1))
)
ENGINE = ReplacingMergeTree(learned)
PARTITION BY toDate(slot)
ORDER BY (toStartOfHour(slot), app, service, peer, target, is_message, slot)
TTL slot + INTERVAL 90 DAY
SETTINGS ttl_only_drop_parts = 1;

-- Until percentiles were of steps.
ALTER TABLE hops_30s
    ADD COLUMN IF NOT EXISTS callees_by_duration Map(UInt16, UInt64) CODEC(ZSTD(1)),
    DROP COLUMN IF EXISTS callee_durations;

-- Under which addresses a service says that it answers: for calls whose traces do not go on at the other end. Only addresses
-- that somebody called lately are kept, so that whoever makes up names of hosts makes no rows.
CREATE TABLE IF NOT EXISTS addresses (
    app LowCardinality(String),
    address LowCardinality(String) COMMENT 'as `peer` in edges_30s',
    service LowCardinality(String),
    seen DateTime('UTC')
)
ENGINE = ReplacingMergeTree(seen)
ORDER BY (app, address, service)
TTL seen + INTERVAL 90 DAY;
