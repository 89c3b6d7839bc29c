-- Mirrors an Entry with SkyWalking's segments, see otlp.proto. Keeps nothing: the views take their rows on the way through.
-- What is LowCardinality here is worked on once for each different value of a file, and not once a span.
CREATE TABLE IF NOT EXISTS intake_segments (
    app String,
    received_unix_nano UInt64,
    segments Tuple(segments Array(Tuple(
        trace_id String,
        trace_segment_id String,
        spans Array(Tuple(
            span_id Int32,
            parent_span_id Int32,
            start_time Int64,
            end_time Int64,
            refs Array(Tuple(
                ref_type Int32,
                trace_id String,
                parent_trace_segment_id String,
                parent_span_id Int32,
                parent_service String,
                parent_service_instance String,
                parent_endpoint String,
                network_address_used_at_peer String)),
            operation_name LowCardinality(String),
            peer LowCardinality(String),
            span_type Int32,
            span_layer Int32,
            component_id Int32,
            is_error Bool,
            tags Array(Tuple(key LowCardinality(String), value String)),
            logs Array(Tuple(time Int64, data Array(Tuple(key String, value String)))),
            skip_analysis Bool)),
        service LowCardinality(String),
        service_instance String)))
)
ENGINE = Null;

-- How SkyWalking's ids become ours, see src/sonde/wire/sw8.py, which says the same.
CREATE OR REPLACE FUNCTION sonde_sw8_trace_id AS trace ->
    toFixedString(if(match(trace, '^[0-9a-f]{32}$'), unhex(trace), MD5(trace)), 16);

CREATE OR REPLACE FUNCTION sonde_sw8_span_id AS (instance, segment, span) -> toFixedString(
    if(span = 0 AND match(segment, '^[0-9a-f]{16}$'),
        unhex(segment),
        substring(MD5(concat(instance, ':', segment, ':', toString(span))), 1, 8)),
    8);

-- Names are cut where SkyWalking's own server cuts them.
CREATE OR REPLACE FUNCTION sonde_sw8_service AS name -> if(name = '', 'unknown_service', leftUTF8(name, 70));

-- What a process says of itself comes by other ways; a segment only tells that it lives, and by the numbers of its
-- components, which are handed out to languages by the thousand, what it is written in.
CREATE MATERIALIZED VIEW IF NOT EXISTS instances_of_segments TO instances AS
SELECT
    app, service, instance, true AS is_from_segments,
    transform(intDiv(max(component), 1000),
        [3, 4, 5, 6, 7, 8, 9], ['dotnet', 'nodejs', 'go', 'lua', 'python', 'php', 'cpp'], '') AS language,
    toDateTime(max(received), 'UTC') AS last_seen
FROM (
    SELECT
        app,
        intDiv(received_unix_nano, 1000000000) AS received,
        sonde_sw8_service(g.service) AS service,
        leftUTF8(g.service_instance, 70) AS instance,
        arrayMax(g.spans.component_id) AS component
    FROM (SELECT app, received_unix_nano, arrayJoin(segments.segments) AS g FROM intake_segments)
)
GROUP BY app, service, instance;
