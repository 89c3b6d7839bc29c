-- OTLP's AnyValue as text. `value` is the number of the field that is set (input_format_protobuf_oneof_presence), which
-- tells 0, '' and false from nothing. Numbers and booleans are written as JSON writes them, bytes as hex; a list is JSON
-- of such texts, a map likewise. A list or map inside of another one has no column to be read into: its text is null.
-- (tupleElement and not v.value: of a dotted name the engine does not replace the parameter.)

CREATE FUNCTION IF NOT EXISTS sonde_scalar AS v -> multiIf(
    tupleElement(v, 'value') = 1, tupleElement(v, 'string_value'),
    tupleElement(v, 'value') = 3, toString(tupleElement(v, 'int_value')),
    tupleElement(v, 'value') = 2, toString(tupleElement(v, 'bool_value')),
    tupleElement(v, 'value') = 4, toString(tupleElement(v, 'double_value')),
    tupleElement(v, 'value') = 7, lower(hex(tupleElement(v, 'bytes_value'))),
    'null');

CREATE FUNCTION IF NOT EXISTS sonde_text AS v -> multiIf(
    tupleElement(v, 'value') = 1, tupleElement(v, 'string_value'),
    tupleElement(v, 'value') = 3, toString(tupleElement(v, 'int_value')),
    tupleElement(v, 'value') = 2, toString(tupleElement(v, 'bool_value')),
    tupleElement(v, 'value') = 4, toString(tupleElement(v, 'double_value')),
    tupleElement(v, 'value') = 7, lower(hex(tupleElement(v, 'bytes_value'))),
    tupleElement(v, 'value') = 5, toJSONString(arrayMap(
        i -> sonde_scalar(i), tupleElement(tupleElement(v, 'array_value'), 'values'))),
    tupleElement(v, 'value') = 6, toJSONString(mapFromArrays(
        tupleElement(tupleElement(tupleElement(v, 'kvlist_value'), 'values'), 'key'),
        arrayMap(i -> sonde_scalar(i), tupleElement(tupleElement(tupleElement(v, 'kvlist_value'), 'values'), 'value')))),
    '');

-- Which process sent this, from the attributes of its resource. Those that name no service have another name, mostly.
CREATE OR REPLACE FUNCTION sonde_service AS r -> multiIf(
    r['service.name'] != '', r['service.name'],
    r['faas.name'] != '', r['faas.name'],
    r['k8s.deployment.name'] != '', r['k8s.deployment.name'],
    r['process.executable.name'] != '', r['process.executable.name'],
    'unknown_service');

CREATE OR REPLACE FUNCTION sonde_instance AS r -> multiIf(
    r['service.instance.id'] != '', r['service.instance.id'],
    r['process.pid'] != '', concat(if(r['k8s.pod.name'] != '', r['k8s.pod.name'], r['host.name']), ':', r['process.pid']),
    r['k8s.pod.name'] != '', r['k8s.pod.name'],
    r['host.name']);

-- How late the data of an app may come, where somebody said so; see server/store/lateness.py, which keeps it up to date.
CREATE TABLE IF NOT EXISTS app_lateness (app LowCardinality(String), late_max_s UInt32)
ENGINE = Join(ANY, LEFT, app)
SETTINGS join_any_take_last_row = 1;

-- An event time that no clock of a healthy sender shows: one such span must not open a partition of its own, and a file
-- of them must not fail for having too many. Measured against the time of receipt, so that a replay decides the same.
-- Of spans an app may want it stricter: they came later than its statistics wait for.
CREATE FUNCTION IF NOT EXISTS sonde_time_fault AS (time_ns, received_ns) -> multiIf(
    time_ns + 2592000000000000 < received_ns, 'too_old',
    time_ns > received_ns + 86400000000000, 'in_future',
    '');

CREATE OR REPLACE FUNCTION sonde_span_time_fault AS (app, time_ns, received_ns) -> multiIf(
    time_ns + transform(joinGet('app_lateness', 'late_max_s', app), [0], [2592000]::Array(UInt32)) * 1000000000
        < received_ns, 'too_old',
    time_ns > received_ns + 86400000000000, 'in_future',
    '');

-- The number of the bucket that a request is counted in: see server/insight/histogram.py, which says the same. A bucket
-- ends with its bound, so it is looked for one nanosecond lower.
CREATE OR REPLACE FUNCTION sonde_bucket AS (duration_ns, is_error) -> toUInt8(
    transform(
        roundDown(toUInt64(greatest(duration_ns, 1) - 1), [
            0, 1000000, 2000000, 5000000, 10000000, 20000000, 25000000, 50000000, 75000000, 100000000, 150000000,
            200000000, 250000000, 300000000, 400000000, 500000000, 600000000, 750000000, 800000000, 1000000000,
            1200000000, 1500000000, 2000000000, 2500000000, 3000000000, 4000000000, 5000000000, 6000000000,
            8000000000, 10000000000, 12000000000, 15000000000, 20000000000, 30000000000, 40000000000, 60000000000,
            120000000000
        ]::Array(UInt64)),
        [
            0, 1000000, 2000000, 5000000, 10000000, 20000000, 25000000, 50000000, 75000000, 100000000, 150000000,
            200000000, 250000000, 300000000, 400000000, 500000000, 600000000, 750000000, 800000000, 1000000000,
            1200000000, 1500000000, 2000000000, 2500000000, 3000000000, 4000000000, 5000000000, 6000000000,
            8000000000, 10000000000, 12000000000, 15000000000, 20000000000, 30000000000, 40000000000, 60000000000,
            120000000000
        ]::Array(UInt64),
        [
            0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28,
            29, 30, 31, 32, 33, 34, 35, 36
        ]::Array(UInt8),
        0::UInt8)
    + if(is_error, 64, 0));

-- The number of the step that a duration is counted in for percentiles: see server/insight/duration_steps.py, which says
-- the same.
CREATE OR REPLACE FUNCTION sonde_step AS duration_ns -> toUInt16(floor(32 * log2(greatest(duration_ns, 1))));

-- Steps of requests that were counted before there were steps: what stands in the middle of their buckets.
CREATE OR REPLACE FUNCTION sonde_steps_of_buckets AS histogram -> mapApply(
    (bucket, requests) -> (
        transform(bitAnd(bucket, 63), range(37)::Array(UInt8), [
            621, 653, 690, 728, 760, 781, 802, 827, 843, 859, 875, 887, 896, 907, 919, 928, 938, 944, 951, 960, 970,
            982, 993, 1003, 1014, 1025, 1035, 1046, 1057, 1067, 1076, 1088, 1104, 1120, 1136, 1161, 1193
        ]::Array(UInt16), 0::UInt16),
        requests),
    histogram);
