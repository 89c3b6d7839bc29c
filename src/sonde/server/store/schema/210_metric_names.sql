-- Which metrics there are, so that nobody has to read the points to know.
CREATE TABLE IF NOT EXISTS metric_names (
    app LowCardinality(String),
    name LowCardinality(String),
    unit LowCardinality(String),
    type Enum8('gauge' = 1, 'sum' = 2, 'histogram' = 3, 'exponential_histogram' = 4, 'summary' = 5),
    monotonic Bool,
    delta Bool,
    last_seen SimpleAggregateFunction(max, DateTime('UTC')) COMMENT 'time of receipt'
)
ENGINE = AggregatingMergeTree
ORDER BY (app, name, unit, type, monotonic, delta)
TTL last_seen + INTERVAL 30 DAY;

CREATE MATERIALIZED VIEW IF NOT EXISTS metric_names_of_arriving TO metric_names AS
SELECT app, name, unit, type, monotonic, temporality = 'delta' AS delta, max(received) AS last_seen
FROM arriving_metrics
WHERE fault = ''
GROUP BY app, name, unit, type, monotonic, delta;
