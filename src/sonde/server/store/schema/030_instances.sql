-- The processes that sent something, with their resource attributes as last seen.
CREATE TABLE IF NOT EXISTS instances (
    app LowCardinality(String),
    service LowCardinality(String),
    instance String,
    host SimpleAggregateFunction(anyLast, LowCardinality(String)),
    language SimpleAggregateFunction(max, LowCardinality(String))
        COMMENT 'telemetry.sdk.language; an empty one takes none away',
    last_seen SimpleAggregateFunction(max, DateTime('UTC')) COMMENT 'time of receipt',
    attributes SimpleAggregateFunction(anyLast, Map(String, String))
)
ENGINE = AggregatingMergeTree
ORDER BY (app, service, instance)
TTL last_seen + INTERVAL 90 DAY;

-- Until segments came, which say of many processes only that they live.
ALTER TABLE instances MODIFY COLUMN language SimpleAggregateFunction(max, LowCardinality(String));
