-- The processes that sent something, with their resource attributes as last seen.
CREATE TABLE IF NOT EXISTS instances (
    app LowCardinality(String),
    service LowCardinality(String),
    instance String,
    host SimpleAggregateFunction(anyLast, LowCardinality(String)),
    language SimpleAggregateFunction(anyLast, LowCardinality(String)) COMMENT 'telemetry.sdk.language',
    last_seen SimpleAggregateFunction(max, DateTime('UTC')) COMMENT 'time of receipt',
    attributes SimpleAggregateFunction(anyLast, Map(String, String))
)
ENGINE = AggregatingMergeTree
ORDER BY (app, service, instance)
TTL last_seen + INTERVAL 90 DAY;

-- SkyWalking's segments say of a process that it lives, and little else: a row of its own, which takes nothing away from
-- what the process said of itself.
ALTER TABLE instances
    ADD COLUMN IF NOT EXISTS is_from_segments Bool,
    MODIFY ORDER BY (app, service, instance, is_from_segments);
