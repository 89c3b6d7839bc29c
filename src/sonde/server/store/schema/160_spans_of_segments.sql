-- The path in an operation's name with what looks like a value replaced, as the probe does with paths that have no route,
-- see src/sonde/probe/templates.py; only what it learns from seeing many of them is missing. Each part gets slashes of its
-- own first, so that neighbours are both found.
CREATE OR REPLACE FUNCTION sonde_sw8_template AS name -> replaceRegexpOne(replaceAll(
    replaceRegexpAll(replaceRegexpAll(replaceRegexpAll(replaceRegexpAll(replaceRegexpAll(replaceRegexpAll(
        concat(replaceAll(name, '/', '//'), '/'),
        '/[0-9]+/', '/{id}/'),
        '/[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}/', '/{uuid}/'),
        '/[0-9]{4}-[0-9]{2}(?:-[0-9]{2})?(?:T[^/]*)?/', '/{date}/'),
        '/[0-9a-fA-F]{8,}/', '/{hex}/'),
        '/[^/@]+@[^/@]+\\.[^/@]+/', '/{email}/'),
        '/(?:[A-Za-z_.~-]*[0-9]){4}[A-Za-z0-9_.~-]*/', '/{id}/'),
    '//', '/'), '/$', '');

-- What a log of a span says of an error: Java's and Node's agents have error.kind, message and stack, Python's a traceback,
-- PHP's one of some other words. `names` and `values` are what OTel calls it, '' where nothing is said.
CREATE OR REPLACE FUNCTION sonde_sw8_last_line AS traceback ->
    arrayElement(splitByChar('\n', trim(TRAILING '\n' FROM traceback)), -1);

CREATE OR REPLACE FUNCTION sonde_sw8_fault AS m -> CAST((
    multiIf(
        m['error.kind'] != '' OR m['stack'] != '' OR m['Traceback'] != '' OR m['event'] = 'error' OR m['error'] != ''
            OR m['Error'] != '' OR m['ERROR'] != '' OR m['CURL_ERROR'] != '', 'exception',
        m['event'] != '', m['event'],
        'log'),
    ['exception.type', 'exception.message', 'exception.stacktrace'],
    [
        if(m['error.kind'] != '', m['error.kind'], extract(sonde_sw8_last_line(m['Traceback']), '^[A-Za-z_][A-Za-z0-9_.]*')),
        multiIf(
            m['error.kind'] != '' OR m['stack'] != '' OR m['event'] = 'error', m['message'],
            m['Traceback'] != '', extract(sonde_sw8_last_line(m['Traceback']), ': (.*)$'),
            m['error'] != '', m['error'],
            m['Error'] != '', m['Error'],
            m['ERROR'] != '', m['ERROR'],
            m['CURL_ERROR']),
        if(m['stack'] != '', m['stack'], m['Traceback'])
    ]
) AS Tuple(name String, names Array(String), values Array(String)));

-- Until an app could say how late its data may come.
DROP VIEW IF EXISTS arriving_spans_of_segments;

-- Until what a log says was not copied to each place where it is used.
DROP VIEW IF EXISTS timely_spans_of_segments;

-- From the inside out, as in 110_spans.sql: one row a segment, one row a span with its tags by meaning, what they say, what
-- it talks to, and the columns. A span that is not to be analysed is stored as internal and has no peer: statistics pass it
-- over. Where a step uses what another alias of it says, that is something short.
CREATE MATERIALIZED VIEW IF NOT EXISTS spans_of_segments TO arriving_spans AS
SELECT
    app, service, instance, endpoint,
    CAST(kind_number AS Enum8('internal' = 1, 'server' = 2, 'client' = 3, 'producer' = 4, 'consumer' = 5)) AS kind,
    fromUnixTimestamp64Micro(start_ms * 1000, 'UTC') AS start_time,
    toUInt64(greatest(end_ms - start_ms, 0)) * 1000000 AS duration_ns,
    trace_id, span_id, parent_id,
    NOT is_skipped AND (kind_number IN (2, 5) OR parent_id = toFixedString('', 8)) AS is_entry,
    is_error,
    toUInt16OrZero(status) AS status_code,
    if(is_error, arrayFirst(m -> m != '', arrayMap(f -> f.values[2], faults)), '') AS status_message,
    peer, system, statement,
    mapFromArrays(
        arrayConcat(
            CAST(keys AS Array(String)),
            arrayFilter(n -> n != '', names),
            if(empty(refs), [], ['sw8.parent_service', 'sw8.parent_instance', 'sw8.parent_endpoint', 'sw8.address']),
            ['sw8.trace_id', 'sw8.segment_id', 'sw8.span_id'],
            arrayFilter((n, v) -> n != '' AND v != '', more_names, more_values)),
        arrayConcat(
            values,
            arrayFilter((v, n) -> n != '', values, names),
            arrayFlatten(arrayMap(r -> [
                r.parent_service, r.parent_service_instance, r.parent_endpoint, r.network_address_used_at_peer
            ], arraySlice(refs, 1, 1))),
            [trace, segment, toString(number)],
            arrayFilter((v, n) -> n != '' AND v != '', more_values, more_names))) AS attributes,
    arrayMap((l, f) -> (
        -- Python's agent stamps an error with the time at which it was started itself.
        fromUnixTimestamp64Micro(least(greatest(l.time, start_ms), greatest(end_ms, start_ms)) * 1000, 'UTC'),
        f.name,
        mapFromArrays(
            arrayConcat(
                arrayFilter((k, v) -> NOT has(f.values, v), l.data.key, l.data.value),
                arrayFilter((n, v) -> v != '', f.names, f.values)),
            arrayConcat(arrayFilter(v -> NOT has(f.values, v), l.data.value), arrayFilter(v -> v != '', f.values)))
    ), logs, faults) AS events,
    links, received, fault
FROM (
    SELECT
        *,
        [
            transform(layer, [1, 2, 4, 5], ['db.system.name', 'rpc.system', 'messaging.system', 'db.system.name'], ''),
            'db.operation.name', 'url.path', 'url.full', 'sw8.peer', 'sw8.span_type', 'sw8.skip_analysis'
        ] AS more_names,
        [
            system,
            if(layer = 5 OR system IN ('redis', 'memcached'), upper(multiIf(
                cache_command != '', cache_command,
                whole_command != '', substringIndex(whole_command, ' ', 1),
                method)), ''),
            path,
            if(startsWith(url, 'http'), url, ''),
            if(peer = own_peer, '', own_peer),
            if(is_skipped, toString(span_type), ''),
            if(is_skipped, 'true', '')
        ] AS more_values
    FROM (
        SELECT
            *,
            multiIf(
                kind_number NOT BETWEEN 3 AND 5, '',
                own_peer != '' AND NOT startsWith(own_peer, 'not_found:'), own_peer,
                source_host != '', concat(source_host, ':', if(source_port != '', source_port, transform(system,
                    ['mysql', 'mariadb', 'postgresql', 'microsoft.sql_server', 'oracle.db'],
                    ['3306', '3306', '5432', '1433', '1521'], ''))),
                database_host != '', concat(database_host, if(database_port = '', '', ':'), database_port),
                url_authority != '', url_authority,
                broker != '', broker,
                topic != '', topic,
                queue != '', queue,
                layer = 3, '',
                system) AS peer
        FROM (
            SELECT
                *,
                if(layer = 3 AND endpoint != operation, extract(operation, '/.*'), '') AS path,
                extract(operation, '(?:->|/)([A-Za-z]+)$') AS method,
                extract(data_source, '(?i)host=([^;\\s]+)') AS source_host,
                extract(data_source, '(?i)port=([0-9]+)') AS source_port,
                extract(url, '^[^/?#]*//(?:[^/?#]*@)?([^/?#]*)') AS url_authority,
                multiIf(
                    layer = 3, 'http',
                    type != '', transform(type, [
                        'mysqli', 'pgsql', 'postgres', 'sqlite2', 'sqlite3', 'mongo', 'oci', 'oracle',
                        'sqlsrv', 'dblib', 'mssql', 'sqlserver',
                        'memcache', 'h2', 'ibm', 'db2', 'odbc', 'sql'
                    ], [
                        'mysql', 'postgresql', 'postgresql', 'sqlite', 'sqlite', 'mongodb', 'oracle.db', 'oracle.db',
                        'microsoft.sql_server', 'microsoft.sql_server', 'microsoft.sql_server', 'microsoft.sql_server',
                        'memcached', 'h2database', 'ibm.db2', 'ibm.db2', 'other_sql', 'other_sql'
                    ], type),
                    -- Numbers of https://github.com/apache/skywalking, component-libraries.yml.
                    transform(component, [
                        3, 4, 32, 5, 33, 7003, 7013, 8004, 6, 34,
                        7, 30, 56, 57, 7017, 8006, 9, 42, 20, 35, 36,
                        22, 37, 7010, 7016, 23, 25, 38, 39, 27, 40, 41,
                        31, 44, 45, 46, 47, 48, 51, 52, 53,
                        143, 144, 145, 73, 74, 94, 112, 8005
                    ], [
                        'apache_dubbo', 'h2database', 'h2database', 'mysql', 'mysql', 'mysql', 'mysql', 'mysql',
                        'oracle.db', 'oracle.db',
                        'redis', 'redis', 'redis', 'redis', 'redis', 'redis', 'mongodb', 'mongodb', 'memcached',
                        'memcached', 'memcached',
                        'postgresql', 'postgresql', 'postgresql', 'postgresql', 'grpc', 'rocketmq', 'rocketmq',
                        'rocketmq', 'kafka', 'kafka', 'kafka',
                        'sqlite', 'activemq', 'activemq', 'activemq', 'elasticsearch', 'elasticsearch', 'rabbitmq',
                        'rabbitmq', 'rabbitmq',
                        'rabbitmq', 'rabbitmq', 'rabbitmq', 'pulsar', 'pulsar', 'hbase', 'neo4j', 'yar'
                    ], transform(layer, [1, 2, 5], ['other_sql', 'rpc', 'cache'], ''))) AS system
            FROM (
                SELECT
                    * EXCEPT (meanings),
                    if(layer = 3 AND NOT has(meanings, 12), sonde_sw8_template(operation), operation) AS endpoint,
                    values[indexOf(meanings, 1)] AS status,
                    toLowCardinality(lower(values[indexOf(meanings, 2)])) AS type,
                    values[indexOf(meanings, 3)] AS statement,
                    toLowCardinality(values[indexOf(meanings, 4)]) AS data_source,
                    values[indexOf(meanings, 5)] AS database_host,
                    values[indexOf(meanings, 6)] AS database_port,
                    values[indexOf(meanings, 7)] AS url,
                    values[indexOf(meanings, 8)] AS cache_command,
                    values[indexOf(meanings, 9)] AS whole_command,
                    values[indexOf(meanings, 10)] AS broker,
                    values[indexOf(meanings, 11)] AS topic,
                    values[indexOf(meanings, 13)] AS queue,
                    multiIf(
                        is_skipped, 1,
                        span_type = 0, if(layer = 4, 5, 2),
                        span_type = 1, if(layer = 4, 4, 3),
                        1) AS kind_number,
                    multiIf(
                        NOT is_root, own_parent,
                        is_called, callers[1].2,
                        toFixedString('', 8)) AS parent_id,
                    if(is_root AND is_called, arraySlice(callers, 2), callers) AS links,
                    if(segment_fault != '', segment_fault,
                        sonde_span_time_fault(app, toUInt64(start_ms) * 1000000, received_unix_nano)) AS fault,
                    arrayMap(m -> sonde_sw8_fault(m), arrayMap(l -> mapFromArrays(l.data.key, l.data.value), logs)) AS faults
                FROM (
                    SELECT
                        app, received_unix_nano, received, service, instance, trace, segment, trace_id, segment_fault,
                        s.span_id AS number,
                        s.span_type AS span_type,
                        s.span_layer AS layer,
                        s.component_id AS component,
                        s.skip_analysis AS is_skipped,
                        s.is_error AS is_error,
                        leftUTF8(s.operation_name, 150) AS operation,
                        s.peer AS own_peer,
                        s.refs AS refs,
                        s.logs AS logs,
                        s.tags.key AS keys,
                        s.tags.value AS values,
                        -- Within what a DateTime64 and 64 bits of nanoseconds have room for.
                        least(greatest(s.start_time, 0), 9000000000000) AS start_ms,
                        least(greatest(s.end_time, 0), 9000000000000) AS end_ms,
                        s.parent_span_id < 0 OR s.parent_span_id = s.span_id AS is_root,
                        if(is_ours AND s.span_id = 0, own_span,
                            toFixedString(substring(MD5(concat(prefix, toString(s.span_id))), 1, 8), 8)) AS span_id,
                        if(is_ours AND s.parent_span_id = 0, own_span,
                            toFixedString(substring(MD5(concat(prefix, toString(s.parent_span_id))), 1, 8), 8)) AS own_parent,
                        s.refs[1].trace_id = trace AS is_called,
                        arrayMap(r -> (
                            sonde_sw8_trace_id(r.trace_id),
                            sonde_sw8_span_id(
                                if(r.parent_service_instance = '' AND r.ref_type = 1,
                                    instance_as_sent, r.parent_service_instance),
                                r.parent_trace_segment_id, r.parent_span_id)
                        ), s.refs) AS callers,
                        arrayMap(k -> transform(k, [
                            'http.status_code', 'status_code', 'rpc.status_code', 'http.response.status_code',
                            'db.type', 'cache.type', 'db.statement', 'db.data_source', 'db.host', 'db.port',
                            'http.url', 'url', 'cache.cmd', 'redis.command', 'memcached.command',
                            'mq.broker', 'mq.topic', 'http.route', 'mq.queue'
                        ], [
                            1, 1, 1, 1,
                            2, 2, 3, 4, 5, 6,
                            7, 7, 8, 9, 9,
                            10, 11, 12, 13
                        ]::Array(UInt8), 0::UInt8)::UInt8, s.tags.key) AS meanings,
                        arrayMap(k -> transform(k, [
                            'http.method', 'http.status_code', 'status_code', 'http.params', 'db.instance',
                            'db.statement', 'mq.topic', 'rpc.status_code'
                        ], [
                            'http.request.method', 'http.response.status_code', 'http.response.status_code', 'url.query',
                            'db.namespace', 'db.query.text', 'messaging.destination.name', 'rpc.response.status_code'
                        ], '')::String, s.tags.key) AS names
                    FROM (
                        SELECT
                            *,
                            sonde_sw8_trace_id(trace) AS trace_id,
                            concat(instance_as_sent, ':', segment, ':') AS prefix,
                            toFixedString(if(is_ours, unhex(segment), ''), 8) AS own_span,
                            multiIf(
                                trace IN ('', '00000000000000000000000000000000'), 'bad_trace_id',
                                segment IN ('', '0000000000000000'), 'bad_span_id',
                                '') AS segment_fault,
                            arrayJoin(spans) AS s
                        FROM (
                            SELECT
                                app, received_unix_nano,
                                toDateTime(intDiv(received_unix_nano, 1000000000), 'UTC') AS received,
                                sonde_sw8_service(g.service) AS service,
                                leftUTF8(g.service_instance, 70) AS instance,
                                g.service_instance AS instance_as_sent,
                                g.trace_id AS trace,
                                g.trace_segment_id AS segment,
                                match(g.trace_segment_id, '^[0-9a-f]{16}$') AS is_ours,
                                g.spans AS spans
                            FROM (SELECT app, received_unix_nano, arrayJoin(segments.segments) AS g FROM intake_segments)
                        )
                    )
                )
            )
        )
    )
);
