-- From when until when each process was heard of, and in which version: what deploys and restarts are made out from. A
-- process that keeps its name is another one when its pid or version changes. Brought up to date every few seconds from
-- `instances` (queries/deploys.py), and not by a view, which every load would pay for.
CREATE TABLE IF NOT EXISTS process_runs (
    app LowCardinality(String),
    service LowCardinality(String),
    instance String,
    version LowCardinality(String) COMMENT 'service.version',
    host LowCardinality(String),
    pid String,
    first_seen SimpleAggregateFunction(min, DateTime('UTC')) COMMENT 'time of receipt',
    last_seen SimpleAggregateFunction(max, DateTime('UTC')) COMMENT 'time of receipt'
)
ENGINE = AggregatingMergeTree
ORDER BY (app, service, instance, version, host, pid)
TTL last_seen + INTERVAL 90 DAY;
