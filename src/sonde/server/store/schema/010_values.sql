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

-- An event time that no clock of a healthy sender shows: one such span must not open a partition of its own, and a file
-- of them must not fail for having too many. Measured against the time of receipt, so that a replay decides the same.
CREATE FUNCTION IF NOT EXISTS sonde_time_fault AS (time_ns, received_ns) -> multiIf(
    time_ns + 2592000000000000 < received_ns, 'too_old',
    time_ns > received_ns + 86400000000000, 'in_future',
    '');
