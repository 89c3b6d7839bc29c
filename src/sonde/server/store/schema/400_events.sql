-- What happened to a service or a host: a deploy, a restart, a tool started, an alarm. For the timeline.
CREATE TABLE IF NOT EXISTS events (
    id UUID,
    time DateTime64(3, 'UTC'),
    app LowCardinality(String),
    service LowCardinality(String),
    instance LowCardinality(String),
    host LowCardinality(String),
    kind LowCardinality(String) COMMENT 'what sort of thing, e.g. deploy, restart, tool, alarm',
    severity UInt8 COMMENT 'as in logs',
    title String,
    body String CODEC(ZSTD(1)),
    attributes Map(LowCardinality(String), String) CODEC(ZSTD(1))
)
ENGINE = MergeTree
PARTITION BY toDate(time)
ORDER BY (time, app, service)
TTL toDateTime(time) + INTERVAL 90 DAY
SETTINGS ttl_only_drop_parts = 1, non_replicated_deduplication_window = 1000;
