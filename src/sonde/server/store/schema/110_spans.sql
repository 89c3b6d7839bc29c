-- A span on its way from intake to `spans`; `fault` says why it must not be stored, '' where nothing is wrong.
CREATE TABLE IF NOT EXISTS arriving_spans (
    app LowCardinality(String),
    service LowCardinality(String),
    instance LowCardinality(String),
    endpoint LowCardinality(String),
    kind Enum8('internal' = 1, 'server' = 2, 'client' = 3, 'producer' = 4, 'consumer' = 5),
    start_time DateTime64(6, 'UTC'),
    duration_ns UInt64,
    trace_id FixedString(16),
    span_id FixedString(8),
    parent_id FixedString(8),
    is_entry Bool,
    is_error Bool,
    status_code UInt16,
    status_message String,
    peer LowCardinality(String),
    system LowCardinality(String),
    statement LowCardinality(String),
    attributes Map(String, String),
    events Array(Tuple(
        time DateTime64(6, 'UTC'), name LowCardinality(String), attributes Map(LowCardinality(String), String))),
    links Array(Tuple(trace_id FixedString(16), span_id FixedString(8))),
    received DateTime('UTC'),
    fault LowCardinality(String)
)
ENGINE = Null;

-- Three steps, each a view of its own with a table behind it that keeps nothing: one row a span, its attributes as texts
-- with what each key means, and the columns. As one view of nested subqueries they were a fifth more of what a small load
-- costs: wherever a column is used, the engine looks at all of the subquery that it comes from. A step inside a view is a
-- subquery, and not an alias, since the engine copies an alias wherever it is used: as one SELECT, analysing this took a
-- third of a second. `arrayJoin` is the function and not the clause, which copies what it joins.
DROP VIEW IF EXISTS arriving_spans_of_intake;

-- Until an app could say how late its data may come.
DROP VIEW IF EXISTS arriving_spans_of_otlp;

-- Until the steps were views of their own.
DROP VIEW IF EXISTS timely_spans_of_otlp;

-- One row a span, as it was sent.
CREATE TABLE IF NOT EXISTS arriving_otlp_spans ENGINE = Null
EMPTY AS SELECT app, received_unix_nano, received, service, instance, arrayJoin(arrayJoin(scopes).spans) AS s
FROM arriving_resource_spans;

CREATE MATERIALIZED VIEW IF NOT EXISTS otlp_spans_of_resources TO arriving_otlp_spans AS
SELECT app, received_unix_nano, received, service, instance, arrayJoin(arrayJoin(scopes).spans) AS s
FROM arriving_resource_spans;

-- What a span says, its attributes as texts. The names of OTel's semantic conventions that fill a column, new and old, are
-- each turned into the number of what they mean. Keys are LowCardinality, so that is done once for each key of a file; after
-- it a look-up is `indexOf` on numbers.
CREATE TABLE IF NOT EXISTS arriving_otlp_texts (
    app LowCardinality(String),
    service LowCardinality(String),
    instance LowCardinality(String),
    received DateTime('UTC'),
    name String,
    kind_number Int32,
    start_time DateTime64(6, 'UTC'),
    duration_ns UInt64,
    trace_id FixedString(16),
    span_id FixedString(8),
    parent_id FixedString(8),
    trace_id_length UInt64,
    span_id_length UInt64,
    parent_id_length UInt64,
    time_fault String,
    is_error Bool,
    status_message String,
    keys Array(LowCardinality(String)),
    values Array(String),
    meanings Array(UInt8),
    events Array(Tuple(
        time DateTime64(6, 'UTC'), name LowCardinality(String), attributes Map(LowCardinality(String), String))),
    links Array(Tuple(trace_id FixedString(16), span_id FixedString(8)))
)
ENGINE = Null;

CREATE MATERIALIZED VIEW IF NOT EXISTS otlp_texts_of_spans TO arriving_otlp_texts AS
SELECT
    app, service, instance, received,
    s.name AS name,
    s.kind AS kind_number,
    fromUnixTimestamp64Micro(toInt64(intDiv(s.start_time_unix_nano, 1000)), 'UTC') AS start_time,
    if(s.end_time_unix_nano > s.start_time_unix_nano, s.end_time_unix_nano - s.start_time_unix_nano, 0)
        AS duration_ns,
    toFixedString(substring(s.trace_id, 1, 16), 16) AS trace_id,
    toFixedString(substring(s.span_id, 1, 8), 8) AS span_id,
    toFixedString(substring(s.parent_span_id, 1, 8), 8) AS parent_id,
    length(s.trace_id) AS trace_id_length,
    length(s.span_id) AS span_id_length,
    length(s.parent_span_id) AS parent_id_length,
    sonde_span_time_fault(app, s.start_time_unix_nano, received_unix_nano) AS time_fault,
    s.status.code = 2 AS is_error,
    s.status.message AS status_message,
    s.attributes.key AS keys,
    arrayMap(v -> sonde_text(v), s.attributes.value) AS values,
    arrayMap(k -> transform(k, [
        'http.response.status_code', 'http.status_code', 'rpc.response.status_code', 'rpc.grpc.status_code',
        'server.address', 'net.peer.name',
        'server.port', 'net.peer.port',
        'network.peer.address', 'net.peer.ip', 'net.sock.peer.addr',
        'network.peer.port', 'net.sock.peer.port',
        'url.full', 'http.url',
        'db.system.name', 'db.system',
        'db.query.text', 'db.statement',
        'db.namespace', 'db.name',
        'messaging.system',
        'messaging.destination.name', 'messaging.destination',
        'rpc.system.name', 'rpc.system',
        'http.request.method', 'http.method',
        'http.route',
        'url.path', 'http.target',
        'peer.service'
    ], [
        1, 1, 1, 1,
        2, 2,
        3, 3,
        4, 4, 4,
        5, 5,
        6, 6,
        7, 7,
        8, 8,
        9, 9,
        10,
        11, 11,
        12, 12,
        13, 13,
        14,
        15, 15,
        16
    ]::Array(UInt8), 0::UInt8)::UInt8, s.attributes.key) AS meanings,
    arrayMap(e -> (
        fromUnixTimestamp64Micro(toInt64(intDiv(e.time_unix_nano, 1000)), 'UTC'),
        e.name,
        mapFromArrays(e.attributes.key, arrayMap(v -> sonde_scalar(v), e.attributes.value))
    ), s.events) AS events,
    arrayMap(l -> (
        toFixedString(substring(l.trace_id, 1, 16), 16), toFixedString(substring(l.span_id, 1, 8), 8)
    ), s.links) AS links
FROM arriving_otlp_spans;

-- Some SDKs call a server's span by its method or path alone, and tell the route in an attribute only. An address in a URL
-- is taken by a pattern, for the engine's `netloc` takes some of the path with it.
CREATE MATERIALIZED VIEW IF NOT EXISTS spans_of_otlp TO arriving_spans AS
SELECT
    app, service, instance,
    multiIf(
        route != '' AND kind_number = 2
            AND (name IN ('', method) OR startsWith(name, '/') OR name = concat('HTTP ', method)),
        trimLeft(concat(method, ' ', route)),
        name != '', name,
        trimLeft(concat(method, ' ', splitByChar('?', if(target != '', target, path(url)))[1]))) AS endpoint,
    CAST(if(kind_number BETWEEN 1 AND 5, kind_number, 1)
        AS Enum8('internal' = 1, 'server' = 2, 'client' = 3, 'producer' = 4, 'consumer' = 5)) AS kind,
    start_time, duration_ns, trace_id, span_id, parent_id,
    kind_number IN (2, 5) OR parent_id = toFixedString('', 8) AS is_entry,
    is_error,
    toUInt16OrZero(status) AS status_code,
    status_message,
    multiIf(
        kind_number NOT BETWEEN 3 AND 5, '',
        peer_service != '', peer_service,
        server_address != '' AND server_port != '', concat(server_address, ':', server_port),
        server_address != '', server_address,
        url_authority != '', url_authority,
        network_address != '' AND network_port != '', concat(network_address, ':', network_port),
        network_address != '' AND server_port != '', concat(network_address, ':', server_port),
        network_address != '', network_address,
        destination != '', destination,
        namespace != '', namespace,
        database_system) AS peer,
    multiIf(
        database_system != '', database_system,
        messaging_system != '', messaging_system,
        rpc_system != '', rpc_system,
        is_http, 'http',
        '') AS system,
    statement, attributes, events, links, received,
    multiIf(
        trace_id_length != 16 OR trace_id = toFixedString('', 16), 'bad_trace_id',
        span_id_length != 8 OR span_id = toFixedString('', 8), 'bad_span_id',
        parent_id_length NOT IN (0, 8), 'bad_parent_id',
        time_fault) AS fault
FROM (
    SELECT
        * EXCEPT (keys, values, meanings),
        mapFromArrays(CAST(keys AS Array(String)), values) AS attributes,
        values[indexOf(meanings, 1)] AS status,
        values[indexOf(meanings, 2)] AS server_address,
        values[indexOf(meanings, 3)] AS server_port,
        values[indexOf(meanings, 4)] AS network_address,
        values[indexOf(meanings, 5)] AS network_port,
        values[indexOf(meanings, 6)] AS url,
        extract(url, '^[^/?#]*//(?:[^/?#]*@)?([^/?#]*)') AS url_authority,
        values[indexOf(meanings, 7)] AS database_system,
        values[indexOf(meanings, 8)] AS statement,
        values[indexOf(meanings, 9)] AS namespace,
        values[indexOf(meanings, 10)] AS messaging_system,
        values[indexOf(meanings, 11)] AS destination,
        values[indexOf(meanings, 12)] AS rpc_system,
        values[indexOf(meanings, 13)] AS method,
        values[indexOf(meanings, 14)] AS route,
        values[indexOf(meanings, 15)] AS target,
        values[indexOf(meanings, 16)] AS peer_service,
        has(meanings, 6) OR has(meanings, 13) AS is_http
    FROM arriving_otlp_texts
);

CREATE TABLE IF NOT EXISTS spans (
    app LowCardinality(String),
    service LowCardinality(String),
    instance LowCardinality(String),
    endpoint LowCardinality(String) COMMENT 'name of the span',
    kind Enum8('internal' = 1, 'server' = 2, 'client' = 3, 'producer' = 4, 'consumer' = 5),
    start_time DateTime64(6, 'UTC') CODEC(Delta, ZSTD(1)),
    duration_ns UInt64 CODEC(T64, ZSTD(1)),
    trace_id FixedString(16) CODEC(ZSTD(1)),
    span_id FixedString(8) CODEC(NONE),
    parent_id FixedString(8) CODEC(ZSTD(1)) COMMENT 'zeros: none',
    is_entry Bool COMMENT 'server or consumer, or without a parent: one request of the service',
    is_error Bool,
    status_code UInt16 CODEC(ZSTD(1)) COMMENT 'HTTP or RPC status of the answer; 0: none',
    status_message String CODEC(ZSTD(1)),
    peer LowCardinality(String) COMMENT 'whom a client, producer or consumer talks to: address:port, else a name',
    system LowCardinality(String) COMMENT 'db.system.name, messaging.system, rpc.system or http',
    statement LowCardinality(String) COMMENT 'db.query.text',
    attributes Map(String, String) CODEC(ZSTD(1)) COMMENT 'keys are plain: merging a dictionary of them costs more',
    events Array(Tuple(
        time DateTime64(6, 'UTC'), name LowCardinality(String), attributes Map(LowCardinality(String), String)
    )) CODEC(ZSTD(1)),
    links Array(Tuple(trace_id FixedString(16), span_id FixedString(8))) CODEC(ZSTD(1)),
    INDEX by_trace trace_id TYPE bloom_filter(0.01) GRANULARITY 1,
    INDEX by_time start_time TYPE minmax GRANULARITY 1,
    INDEX by_duration duration_ns TYPE minmax GRANULARITY 1,
    INDEX by_value mapValues(attributes) TYPE bloom_filter(0.01) GRANULARITY 1
)
ENGINE = MergeTree
PARTITION BY toDate(start_time)
ORDER BY (toStartOfHour(start_time), service, endpoint, start_time)
TTL toDateTime(start_time) + INTERVAL 7 DAY
-- A young part is one file: as a file for each column (and sixteen for the attributes), creating them took a third of the
-- time of a load.
SETTINGS ttl_only_drop_parts = 1, non_replicated_deduplication_window = 10000, min_bytes_for_wide_part = 268435456,
    index_granularity = 4096;

-- Until summaries of spans that were not sampled came the same way.
DROP VIEW IF EXISTS spans_of_arriving;

CREATE MATERIALIZED VIEW IF NOT EXISTS whole_spans_of_arriving TO spans AS
SELECT * EXCEPT (received, fault) FROM arriving_spans WHERE fault = '' AND NOT mapContains(attributes, 'sonde.tally');

-- A summary counts the spans of one kind and slot that were not sampled, see src/sonde/probe/tallies.py. Its durations come in
-- buckets, sixteen for each doubling: each is two of the steps that percentiles are of, half of it in either.
CREATE TABLE IF NOT EXISTS arriving_tallies (
    slot DateTime('UTC'),
    app LowCardinality(String),
    service LowCardinality(String),
    instance LowCardinality(String),
    endpoint LowCardinality(String),
    kind Enum8('internal' = 1, 'server' = 2, 'client' = 3, 'producer' = 4, 'consumer' = 5),
    is_entry Bool,
    is_root Bool,
    status_code UInt16,
    peer LowCardinality(String),
    system LowCardinality(String),
    count UInt64,
    errors UInt64,
    sum_ns UInt64,
    min_ns UInt64,
    max_ns UInt64,
    satisfied UInt64,
    tolerating UInt64,
    last_seen DateTime('UTC'),
    by_duration Map(UInt16, UInt64)
)
ENGINE = Null;

-- Until percentiles were of steps.
DROP VIEW IF EXISTS measured_tallies_of_spans;

DROP VIEW IF EXISTS rollup_30s_from_tallies;

DROP VIEW IF EXISTS edges_30s_from_tallies;

ALTER TABLE arriving_tallies
    ADD COLUMN IF NOT EXISTS error_sum_ns UInt64,
    ADD COLUMN IF NOT EXISTS histogram Map(UInt8, UInt64),
    ADD COLUMN IF NOT EXISTS by_duration Map(UInt16, UInt64),
    DROP COLUMN IF EXISTS durations;

-- Until statistics had histograms. A bucket of a summary is 4.4 % wide: a bound of the histogram that falls into it takes
-- all of it, or nothing, by its middle.
DROP VIEW IF EXISTS arriving_tallies_of_spans;

CREATE MATERIALIZED VIEW IF NOT EXISTS tallies_of_spans TO arriving_tallies AS
SELECT
    toStartOfInterval(toDateTime(start_time), INTERVAL 30 SECOND) AS slot,
    app, service, instance, endpoint, kind, is_entry,
    parent_id = toFixedString('', 8) AS is_root,
    status_code, peer, system,
    least(numbers[1], 1000000000) AS count,
    if(is_error, count, 0) AS errors,
    numbers[2] AS sum_ns, numbers[3] AS min_ns, numbers[4] AS max_ns,
    numbers[5] AS satisfied, numbers[6] AS tolerating,
    toDateTime(numbers[7], 'UTC') AS last_seen,
    CAST(arrayReduce('sumMap',
        arrayMap(i -> [
            toUInt16(2 * least(numbers[8 + 2 * i], 639)), toUInt16(2 * least(numbers[8 + 2 * i], 639) + 1)
        ], range(intDiv(length(numbers) - 7, 2))),
        arrayMap(i -> [
            intDiv(least(numbers[9 + 2 * i], count) + 1, 2), intDiv(least(numbers[9 + 2 * i], count), 2)
        ], range(intDiv(length(numbers) - 7, 2))))
        AS Map(UInt16, UInt64)) AS by_duration,
    if(is_error, sum_ns, 0) AS error_sum_ns,
    CAST(arrayReduce('sumMap',
        arrayMap(i -> [sonde_bucket(toUInt64(round(exp2((least(numbers[8 + 2 * i], 639) + 0.5) / 16))), is_error)],
            range(intDiv(length(numbers) - 7, 2))),
        arrayMap(i -> [least(numbers[9 + 2 * i], count)], range(intDiv(length(numbers) - 7, 2))))
        AS Map(UInt8, UInt64)) AS histogram
FROM (
    SELECT *, arrayMap(n -> toUInt64OrZero(n), splitByChar(',', attributes['sonde.tally'])) AS numbers
    FROM arriving_spans
    WHERE fault = '' AND mapContains(attributes, 'sonde.tally')
)
WHERE length(numbers) BETWEEN 9 AND 1287 AND numbers[1] > 0;

CREATE MATERIALIZED VIEW IF NOT EXISTS dropped_spans TO dropped AS
SELECT toStartOfInterval(received, INTERVAL 30 SECOND) AS slot, app, 'traces' AS signal, fault AS reason, count() AS count
FROM arriving_spans
WHERE fault != ''
GROUP BY slot, app, reason;
