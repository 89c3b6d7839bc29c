-- Mirrors an Entry with SkyWalking's segments, see otlp.proto. Keeps nothing.
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
            operation_name String,
            peer String,
            span_type Int32,
            span_layer Int32,
            component_id Int32,
            is_error Bool,
            tags Array(Tuple(key LowCardinality(String), value String)),
            logs Array(Tuple(time Int64, data Array(Tuple(key String, value String)))),
            skip_analysis Bool)),
        service String,
        service_instance String)))
)
ENGINE = Null;
