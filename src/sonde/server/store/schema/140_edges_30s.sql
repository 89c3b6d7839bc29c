-- Who calls whom, by slots of 30 s. `peer` is what the caller calls it; `peers` says which service answers there.
CREATE TABLE IF NOT EXISTS edges_30s (
    slot DateTime('UTC') CODEC(DoubleDelta, ZSTD(1)),
    app LowCardinality(String),
    service LowCardinality(String),
    kind Enum8('internal' = 1, 'server' = 2, 'client' = 3, 'producer' = 4, 'consumer' = 5)
        COMMENT 'client and producer: service calls peer; consumer: service takes from peer',
    peer LowCardinality(String),
    system LowCardinality(String),
    count SimpleAggregateFunction(sum, UInt64) CODEC(T64, ZSTD(1)),
    errors SimpleAggregateFunction(sum, UInt64) CODEC(T64, ZSTD(1)),
    sum_ns SimpleAggregateFunction(sum, UInt64) CODEC(T64, ZSTD(1)),
    max_ns SimpleAggregateFunction(max, UInt64) CODEC(T64, ZSTD(1))
)
ENGINE = AggregatingMergeTree
PARTITION BY toDate(slot)
ORDER BY (toStartOfHour(slot), app, service, kind, peer, system, slot)
TTL slot + INTERVAL 90 DAY
SETTINGS ttl_only_drop_parts = 1, non_replicated_deduplication_window = 10000;

ALTER TABLE edges_30s
    ADD COLUMN IF NOT EXISTS written SimpleAggregateFunction(max, DateTime('UTC')) CODEC(Delta, ZSTD(1))
        COMMENT 'when the last of it came into the table: long slots that are older are made again',
    ADD INDEX IF NOT EXISTS by_written written TYPE minmax,
    ADD COLUMN IF NOT EXISTS histogram SimpleAggregateFunction(sumMap, Map(UInt8, UInt64)) CODEC(ZSTD(1))
        COMMENT 'as in rollup_30s',
    ADD COLUMN IF NOT EXISTS by_duration SimpleAggregateFunction(sumMap, Map(UInt16, UInt64))
        DEFAULT sonde_steps_of_buckets(histogram) CODEC(ZSTD(1)),
    DROP COLUMN IF EXISTS durations;

-- Until there were long slots, and histograms.
DROP VIEW IF EXISTS edges_30s_of_spans;

DROP VIEW IF EXISTS edges_30s_of_tallies;

-- Until percentiles were of steps.
DROP VIEW IF EXISTS edges_30s_from_spans;

CREATE MATERIALIZED VIEW IF NOT EXISTS edges_30s_by_spans TO edges_30s AS
SELECT
    toStartOfInterval(toDateTime(start_time), INTERVAL 30 SECOND) AS slot,
    app, service, kind, peer, system,
    count() AS count,
    countIf(is_error) AS errors,
    sum(duration_ns) AS sum_ns,
    max(duration_ns) AS max_ns,
    sumMap(map(sonde_bucket(duration_ns, is_error), toUInt64(1))) AS histogram,
    sumMap(map(sonde_step(duration_ns), toUInt64(1))) AS by_duration,
    now('UTC') AS written
FROM spans
WHERE peer != ''
GROUP BY slot, app, service, kind, peer, system;

CREATE MATERIALIZED VIEW IF NOT EXISTS edges_30s_by_tallies TO edges_30s AS
SELECT
    slot, app, service, kind, peer, system, count, errors, sum_ns, max_ns, histogram, by_duration, now('UTC') AS written
FROM arriving_tallies
WHERE peer != '';

-- Which service answers when `service` calls `peer`, learned from traces that both took part in. A peer may be a gateway
-- with several services behind it: `calls` are those seen in the window that ended at `learned`, and weigh them.
CREATE TABLE IF NOT EXISTS peers (
    app LowCardinality(String),
    service LowCardinality(String),
    peer LowCardinality(String),
    target LowCardinality(String),
    calls UInt64,
    learned DateTime('UTC')
)
ENGINE = ReplacingMergeTree(learned)
ORDER BY (app, service, peer, target)
TTL learned + INTERVAL 90 DAY;
