# mypy: disable-error-code=type-arg
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class SpanType(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    Entry: _ClassVar[SpanType]
    Exit: _ClassVar[SpanType]
    Local: _ClassVar[SpanType]

class SpanLayer(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    Unknown: _ClassVar[SpanLayer]
    Database: _ClassVar[SpanLayer]
    RPCFramework: _ClassVar[SpanLayer]
    Http: _ClassVar[SpanLayer]
    MQ: _ClassVar[SpanLayer]
    Cache: _ClassVar[SpanLayer]
    FAAS: _ClassVar[SpanLayer]
    GenAI: _ClassVar[SpanLayer]

class RefType(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    CrossProcess: _ClassVar[RefType]
    CrossThread: _ClassVar[RefType]

class PoolType(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    CODE_CACHE_USAGE: _ClassVar[PoolType]
    NEWGEN_USAGE: _ClassVar[PoolType]
    OLDGEN_USAGE: _ClassVar[PoolType]
    SURVIVOR_USAGE: _ClassVar[PoolType]
    PERMGEN_USAGE: _ClassVar[PoolType]
    METASPACE_USAGE: _ClassVar[PoolType]
    ZHEAP_USAGE: _ClassVar[PoolType]
    COMPRESSED_CLASS_SPACE_USAGE: _ClassVar[PoolType]
    CODEHEAP_NON_NMETHODS_USAGE: _ClassVar[PoolType]
    CODEHEAP_PROFILED_NMETHODS_USAGE: _ClassVar[PoolType]
    CODEHEAP_NON_PROFILED_NMETHODS_USAGE: _ClassVar[PoolType]

class GCPhase(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    NEW: _ClassVar[GCPhase]
    OLD: _ClassVar[GCPhase]
    NORMAL: _ClassVar[GCPhase]

class EventType(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    Normal: _ClassVar[EventType]
    Error: _ClassVar[EventType]

class ErrorCategory(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    ajax: _ClassVar[ErrorCategory]
    resource: _ClassVar[ErrorCategory]
    vue: _ClassVar[ErrorCategory]
    promise: _ClassVar[ErrorCategory]
    js: _ClassVar[ErrorCategory]
    unknown: _ClassVar[ErrorCategory]
Entry: SpanType
Exit: SpanType
Local: SpanType
Unknown: SpanLayer
Database: SpanLayer
RPCFramework: SpanLayer
Http: SpanLayer
MQ: SpanLayer
Cache: SpanLayer
FAAS: SpanLayer
GenAI: SpanLayer
CrossProcess: RefType
CrossThread: RefType
CODE_CACHE_USAGE: PoolType
NEWGEN_USAGE: PoolType
OLDGEN_USAGE: PoolType
SURVIVOR_USAGE: PoolType
PERMGEN_USAGE: PoolType
METASPACE_USAGE: PoolType
ZHEAP_USAGE: PoolType
COMPRESSED_CLASS_SPACE_USAGE: PoolType
CODEHEAP_NON_NMETHODS_USAGE: PoolType
CODEHEAP_PROFILED_NMETHODS_USAGE: PoolType
CODEHEAP_NON_PROFILED_NMETHODS_USAGE: PoolType
NEW: GCPhase
OLD: GCPhase
NORMAL: GCPhase
Normal: EventType
Error: EventType
ajax: ErrorCategory
resource: ErrorCategory
vue: ErrorCategory
promise: ErrorCategory
js: ErrorCategory
unknown: ErrorCategory

class KeyStringValuePair(_message.Message):
    __slots__ = ("key", "value")
    KEY_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    key: str
    value: str
    def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...

class Command(_message.Message):
    __slots__ = ("command", "args")
    COMMAND_FIELD_NUMBER: _ClassVar[int]
    ARGS_FIELD_NUMBER: _ClassVar[int]
    command: str
    args: _containers.RepeatedCompositeFieldContainer[KeyStringValuePair]
    def __init__(self, command: _Optional[str] = ..., args: _Optional[_Iterable[_Union[KeyStringValuePair, _Mapping]]] = ...) -> None: ...

class Commands(_message.Message):
    __slots__ = ("commands",)
    COMMANDS_FIELD_NUMBER: _ClassVar[int]
    commands: _containers.RepeatedCompositeFieldContainer[Command]
    def __init__(self, commands: _Optional[_Iterable[_Union[Command, _Mapping]]] = ...) -> None: ...

class SegmentCollection(_message.Message):
    __slots__ = ("segments",)
    SEGMENTS_FIELD_NUMBER: _ClassVar[int]
    segments: _containers.RepeatedCompositeFieldContainer[SegmentObject]
    def __init__(self, segments: _Optional[_Iterable[_Union[SegmentObject, _Mapping]]] = ...) -> None: ...

class SegmentObject(_message.Message):
    __slots__ = ("traceId", "traceSegmentId", "spans", "service", "serviceInstance", "isSizeLimited")
    TRACEID_FIELD_NUMBER: _ClassVar[int]
    TRACESEGMENTID_FIELD_NUMBER: _ClassVar[int]
    SPANS_FIELD_NUMBER: _ClassVar[int]
    SERVICE_FIELD_NUMBER: _ClassVar[int]
    SERVICEINSTANCE_FIELD_NUMBER: _ClassVar[int]
    ISSIZELIMITED_FIELD_NUMBER: _ClassVar[int]
    traceId: str
    traceSegmentId: str
    spans: _containers.RepeatedCompositeFieldContainer[SpanObject]
    service: str
    serviceInstance: str
    isSizeLimited: bool
    def __init__(self, traceId: _Optional[str] = ..., traceSegmentId: _Optional[str] = ..., spans: _Optional[_Iterable[_Union[SpanObject, _Mapping]]] = ..., service: _Optional[str] = ..., serviceInstance: _Optional[str] = ..., isSizeLimited: bool = ...) -> None: ...

class SpanObject(_message.Message):
    __slots__ = ("spanId", "parentSpanId", "startTime", "endTime", "refs", "operationName", "peer", "spanType", "spanLayer", "componentId", "isError", "tags", "logs", "skipAnalysis")
    SPANID_FIELD_NUMBER: _ClassVar[int]
    PARENTSPANID_FIELD_NUMBER: _ClassVar[int]
    STARTTIME_FIELD_NUMBER: _ClassVar[int]
    ENDTIME_FIELD_NUMBER: _ClassVar[int]
    REFS_FIELD_NUMBER: _ClassVar[int]
    OPERATIONNAME_FIELD_NUMBER: _ClassVar[int]
    PEER_FIELD_NUMBER: _ClassVar[int]
    SPANTYPE_FIELD_NUMBER: _ClassVar[int]
    SPANLAYER_FIELD_NUMBER: _ClassVar[int]
    COMPONENTID_FIELD_NUMBER: _ClassVar[int]
    ISERROR_FIELD_NUMBER: _ClassVar[int]
    TAGS_FIELD_NUMBER: _ClassVar[int]
    LOGS_FIELD_NUMBER: _ClassVar[int]
    SKIPANALYSIS_FIELD_NUMBER: _ClassVar[int]
    spanId: int
    parentSpanId: int
    startTime: int
    endTime: int
    refs: _containers.RepeatedCompositeFieldContainer[SegmentReference]
    operationName: str
    peer: str
    spanType: SpanType
    spanLayer: SpanLayer
    componentId: int
    isError: bool
    tags: _containers.RepeatedCompositeFieldContainer[KeyStringValuePair]
    logs: _containers.RepeatedCompositeFieldContainer[Log]
    skipAnalysis: bool
    def __init__(self, spanId: _Optional[int] = ..., parentSpanId: _Optional[int] = ..., startTime: _Optional[int] = ..., endTime: _Optional[int] = ..., refs: _Optional[_Iterable[_Union[SegmentReference, _Mapping]]] = ..., operationName: _Optional[str] = ..., peer: _Optional[str] = ..., spanType: _Optional[_Union[SpanType, str]] = ..., spanLayer: _Optional[_Union[SpanLayer, str]] = ..., componentId: _Optional[int] = ..., isError: bool = ..., tags: _Optional[_Iterable[_Union[KeyStringValuePair, _Mapping]]] = ..., logs: _Optional[_Iterable[_Union[Log, _Mapping]]] = ..., skipAnalysis: bool = ...) -> None: ...

class Log(_message.Message):
    __slots__ = ("time", "data")
    TIME_FIELD_NUMBER: _ClassVar[int]
    DATA_FIELD_NUMBER: _ClassVar[int]
    time: int
    data: _containers.RepeatedCompositeFieldContainer[KeyStringValuePair]
    def __init__(self, time: _Optional[int] = ..., data: _Optional[_Iterable[_Union[KeyStringValuePair, _Mapping]]] = ...) -> None: ...

class SegmentReference(_message.Message):
    __slots__ = ("refType", "traceId", "parentTraceSegmentId", "parentSpanId", "parentService", "parentServiceInstance", "parentEndpoint", "networkAddressUsedAtPeer")
    REFTYPE_FIELD_NUMBER: _ClassVar[int]
    TRACEID_FIELD_NUMBER: _ClassVar[int]
    PARENTTRACESEGMENTID_FIELD_NUMBER: _ClassVar[int]
    PARENTSPANID_FIELD_NUMBER: _ClassVar[int]
    PARENTSERVICE_FIELD_NUMBER: _ClassVar[int]
    PARENTSERVICEINSTANCE_FIELD_NUMBER: _ClassVar[int]
    PARENTENDPOINT_FIELD_NUMBER: _ClassVar[int]
    NETWORKADDRESSUSEDATPEER_FIELD_NUMBER: _ClassVar[int]
    refType: RefType
    traceId: str
    parentTraceSegmentId: str
    parentSpanId: int
    parentService: str
    parentServiceInstance: str
    parentEndpoint: str
    networkAddressUsedAtPeer: str
    def __init__(self, refType: _Optional[_Union[RefType, str]] = ..., traceId: _Optional[str] = ..., parentTraceSegmentId: _Optional[str] = ..., parentSpanId: _Optional[int] = ..., parentService: _Optional[str] = ..., parentServiceInstance: _Optional[str] = ..., parentEndpoint: _Optional[str] = ..., networkAddressUsedAtPeer: _Optional[str] = ...) -> None: ...

class InstanceProperties(_message.Message):
    __slots__ = ("service", "serviceInstance", "properties", "layer")
    SERVICE_FIELD_NUMBER: _ClassVar[int]
    SERVICEINSTANCE_FIELD_NUMBER: _ClassVar[int]
    PROPERTIES_FIELD_NUMBER: _ClassVar[int]
    LAYER_FIELD_NUMBER: _ClassVar[int]
    service: str
    serviceInstance: str
    properties: _containers.RepeatedCompositeFieldContainer[KeyStringValuePair]
    layer: str
    def __init__(self, service: _Optional[str] = ..., serviceInstance: _Optional[str] = ..., properties: _Optional[_Iterable[_Union[KeyStringValuePair, _Mapping]]] = ..., layer: _Optional[str] = ...) -> None: ...

class InstancePingPkg(_message.Message):
    __slots__ = ("service", "serviceInstance", "layer")
    SERVICE_FIELD_NUMBER: _ClassVar[int]
    SERVICEINSTANCE_FIELD_NUMBER: _ClassVar[int]
    LAYER_FIELD_NUMBER: _ClassVar[int]
    service: str
    serviceInstance: str
    layer: str
    def __init__(self, service: _Optional[str] = ..., serviceInstance: _Optional[str] = ..., layer: _Optional[str] = ...) -> None: ...

class ConfigurationSyncRequest(_message.Message):
    __slots__ = ("service", "uuid")
    SERVICE_FIELD_NUMBER: _ClassVar[int]
    UUID_FIELD_NUMBER: _ClassVar[int]
    service: str
    uuid: str
    def __init__(self, service: _Optional[str] = ..., uuid: _Optional[str] = ...) -> None: ...

class MeterData(_message.Message):
    __slots__ = ("singleValue", "histogram", "service", "serviceInstance", "timestamp")
    SINGLEVALUE_FIELD_NUMBER: _ClassVar[int]
    HISTOGRAM_FIELD_NUMBER: _ClassVar[int]
    SERVICE_FIELD_NUMBER: _ClassVar[int]
    SERVICEINSTANCE_FIELD_NUMBER: _ClassVar[int]
    TIMESTAMP_FIELD_NUMBER: _ClassVar[int]
    singleValue: MeterSingleValue
    histogram: MeterHistogram
    service: str
    serviceInstance: str
    timestamp: int
    def __init__(self, singleValue: _Optional[_Union[MeterSingleValue, _Mapping]] = ..., histogram: _Optional[_Union[MeterHistogram, _Mapping]] = ..., service: _Optional[str] = ..., serviceInstance: _Optional[str] = ..., timestamp: _Optional[int] = ...) -> None: ...

class MeterDataCollection(_message.Message):
    __slots__ = ("meterData",)
    METERDATA_FIELD_NUMBER: _ClassVar[int]
    meterData: _containers.RepeatedCompositeFieldContainer[MeterData]
    def __init__(self, meterData: _Optional[_Iterable[_Union[MeterData, _Mapping]]] = ...) -> None: ...

class Label(_message.Message):
    __slots__ = ("name", "value")
    NAME_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    name: str
    value: str
    def __init__(self, name: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...

class MeterSingleValue(_message.Message):
    __slots__ = ("name", "labels", "value")
    NAME_FIELD_NUMBER: _ClassVar[int]
    LABELS_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    name: str
    labels: _containers.RepeatedCompositeFieldContainer[Label]
    value: float
    def __init__(self, name: _Optional[str] = ..., labels: _Optional[_Iterable[_Union[Label, _Mapping]]] = ..., value: _Optional[float] = ...) -> None: ...

class MeterHistogram(_message.Message):
    __slots__ = ("name", "labels", "values")
    NAME_FIELD_NUMBER: _ClassVar[int]
    LABELS_FIELD_NUMBER: _ClassVar[int]
    VALUES_FIELD_NUMBER: _ClassVar[int]
    name: str
    labels: _containers.RepeatedCompositeFieldContainer[Label]
    values: _containers.RepeatedCompositeFieldContainer[MeterBucketValue]
    def __init__(self, name: _Optional[str] = ..., labels: _Optional[_Iterable[_Union[Label, _Mapping]]] = ..., values: _Optional[_Iterable[_Union[MeterBucketValue, _Mapping]]] = ...) -> None: ...

class MeterBucketValue(_message.Message):
    __slots__ = ("bucket", "count", "isNegativeInfinity")
    BUCKET_FIELD_NUMBER: _ClassVar[int]
    COUNT_FIELD_NUMBER: _ClassVar[int]
    ISNEGATIVEINFINITY_FIELD_NUMBER: _ClassVar[int]
    bucket: float
    count: int
    isNegativeInfinity: bool
    def __init__(self, bucket: _Optional[float] = ..., count: _Optional[int] = ..., isNegativeInfinity: bool = ...) -> None: ...

class CPU(_message.Message):
    __slots__ = ("usagePercent",)
    USAGEPERCENT_FIELD_NUMBER: _ClassVar[int]
    usagePercent: float
    def __init__(self, usagePercent: _Optional[float] = ...) -> None: ...

class JVMMetricCollection(_message.Message):
    __slots__ = ("metrics", "service", "serviceInstance")
    METRICS_FIELD_NUMBER: _ClassVar[int]
    SERVICE_FIELD_NUMBER: _ClassVar[int]
    SERVICEINSTANCE_FIELD_NUMBER: _ClassVar[int]
    metrics: _containers.RepeatedCompositeFieldContainer[JVMMetric]
    service: str
    serviceInstance: str
    def __init__(self, metrics: _Optional[_Iterable[_Union[JVMMetric, _Mapping]]] = ..., service: _Optional[str] = ..., serviceInstance: _Optional[str] = ...) -> None: ...

class JVMMetric(_message.Message):
    __slots__ = ("time", "cpu", "memory", "memoryPool", "gc", "thread", "clazz")
    TIME_FIELD_NUMBER: _ClassVar[int]
    CPU_FIELD_NUMBER: _ClassVar[int]
    MEMORY_FIELD_NUMBER: _ClassVar[int]
    MEMORYPOOL_FIELD_NUMBER: _ClassVar[int]
    GC_FIELD_NUMBER: _ClassVar[int]
    THREAD_FIELD_NUMBER: _ClassVar[int]
    CLAZZ_FIELD_NUMBER: _ClassVar[int]
    time: int
    cpu: CPU
    memory: _containers.RepeatedCompositeFieldContainer[Memory]
    memoryPool: _containers.RepeatedCompositeFieldContainer[MemoryPool]
    gc: _containers.RepeatedCompositeFieldContainer[GC]
    thread: Thread
    clazz: Class
    def __init__(self, time: _Optional[int] = ..., cpu: _Optional[_Union[CPU, _Mapping]] = ..., memory: _Optional[_Iterable[_Union[Memory, _Mapping]]] = ..., memoryPool: _Optional[_Iterable[_Union[MemoryPool, _Mapping]]] = ..., gc: _Optional[_Iterable[_Union[GC, _Mapping]]] = ..., thread: _Optional[_Union[Thread, _Mapping]] = ..., clazz: _Optional[_Union[Class, _Mapping]] = ...) -> None: ...

class Memory(_message.Message):
    __slots__ = ("isHeap", "init", "max", "used", "committed")
    ISHEAP_FIELD_NUMBER: _ClassVar[int]
    INIT_FIELD_NUMBER: _ClassVar[int]
    MAX_FIELD_NUMBER: _ClassVar[int]
    USED_FIELD_NUMBER: _ClassVar[int]
    COMMITTED_FIELD_NUMBER: _ClassVar[int]
    isHeap: bool
    init: int
    max: int
    used: int
    committed: int
    def __init__(self, isHeap: bool = ..., init: _Optional[int] = ..., max: _Optional[int] = ..., used: _Optional[int] = ..., committed: _Optional[int] = ...) -> None: ...

class MemoryPool(_message.Message):
    __slots__ = ("type", "init", "max", "used", "committed")
    TYPE_FIELD_NUMBER: _ClassVar[int]
    INIT_FIELD_NUMBER: _ClassVar[int]
    MAX_FIELD_NUMBER: _ClassVar[int]
    USED_FIELD_NUMBER: _ClassVar[int]
    COMMITTED_FIELD_NUMBER: _ClassVar[int]
    type: PoolType
    init: int
    max: int
    used: int
    committed: int
    def __init__(self, type: _Optional[_Union[PoolType, str]] = ..., init: _Optional[int] = ..., max: _Optional[int] = ..., used: _Optional[int] = ..., committed: _Optional[int] = ...) -> None: ...

class GC(_message.Message):
    __slots__ = ("phase", "count", "time")
    PHASE_FIELD_NUMBER: _ClassVar[int]
    COUNT_FIELD_NUMBER: _ClassVar[int]
    TIME_FIELD_NUMBER: _ClassVar[int]
    phase: GCPhase
    count: int
    time: int
    def __init__(self, phase: _Optional[_Union[GCPhase, str]] = ..., count: _Optional[int] = ..., time: _Optional[int] = ...) -> None: ...

class Thread(_message.Message):
    __slots__ = ("liveCount", "daemonCount", "peakCount", "runnableStateThreadCount", "blockedStateThreadCount", "waitingStateThreadCount", "timedWaitingStateThreadCount")
    LIVECOUNT_FIELD_NUMBER: _ClassVar[int]
    DAEMONCOUNT_FIELD_NUMBER: _ClassVar[int]
    PEAKCOUNT_FIELD_NUMBER: _ClassVar[int]
    RUNNABLESTATETHREADCOUNT_FIELD_NUMBER: _ClassVar[int]
    BLOCKEDSTATETHREADCOUNT_FIELD_NUMBER: _ClassVar[int]
    WAITINGSTATETHREADCOUNT_FIELD_NUMBER: _ClassVar[int]
    TIMEDWAITINGSTATETHREADCOUNT_FIELD_NUMBER: _ClassVar[int]
    liveCount: int
    daemonCount: int
    peakCount: int
    runnableStateThreadCount: int
    blockedStateThreadCount: int
    waitingStateThreadCount: int
    timedWaitingStateThreadCount: int
    def __init__(self, liveCount: _Optional[int] = ..., daemonCount: _Optional[int] = ..., peakCount: _Optional[int] = ..., runnableStateThreadCount: _Optional[int] = ..., blockedStateThreadCount: _Optional[int] = ..., waitingStateThreadCount: _Optional[int] = ..., timedWaitingStateThreadCount: _Optional[int] = ...) -> None: ...

class Class(_message.Message):
    __slots__ = ("loadedClassCount", "totalUnloadedClassCount", "totalLoadedClassCount")
    LOADEDCLASSCOUNT_FIELD_NUMBER: _ClassVar[int]
    TOTALUNLOADEDCLASSCOUNT_FIELD_NUMBER: _ClassVar[int]
    TOTALLOADEDCLASSCOUNT_FIELD_NUMBER: _ClassVar[int]
    loadedClassCount: int
    totalUnloadedClassCount: int
    totalLoadedClassCount: int
    def __init__(self, loadedClassCount: _Optional[int] = ..., totalUnloadedClassCount: _Optional[int] = ..., totalLoadedClassCount: _Optional[int] = ...) -> None: ...

class CLRMetricCollection(_message.Message):
    __slots__ = ("metrics", "service", "serviceInstance")
    METRICS_FIELD_NUMBER: _ClassVar[int]
    SERVICE_FIELD_NUMBER: _ClassVar[int]
    SERVICEINSTANCE_FIELD_NUMBER: _ClassVar[int]
    metrics: _containers.RepeatedCompositeFieldContainer[CLRMetric]
    service: str
    serviceInstance: str
    def __init__(self, metrics: _Optional[_Iterable[_Union[CLRMetric, _Mapping]]] = ..., service: _Optional[str] = ..., serviceInstance: _Optional[str] = ...) -> None: ...

class CLRMetric(_message.Message):
    __slots__ = ("time", "cpu", "gc", "thread")
    TIME_FIELD_NUMBER: _ClassVar[int]
    CPU_FIELD_NUMBER: _ClassVar[int]
    GC_FIELD_NUMBER: _ClassVar[int]
    THREAD_FIELD_NUMBER: _ClassVar[int]
    time: int
    cpu: CPU
    gc: ClrGC
    thread: ClrThread
    def __init__(self, time: _Optional[int] = ..., cpu: _Optional[_Union[CPU, _Mapping]] = ..., gc: _Optional[_Union[ClrGC, _Mapping]] = ..., thread: _Optional[_Union[ClrThread, _Mapping]] = ...) -> None: ...

class ClrGC(_message.Message):
    __slots__ = ("Gen0CollectCount", "Gen1CollectCount", "Gen2CollectCount", "HeapMemory")
    GEN0COLLECTCOUNT_FIELD_NUMBER: _ClassVar[int]
    GEN1COLLECTCOUNT_FIELD_NUMBER: _ClassVar[int]
    GEN2COLLECTCOUNT_FIELD_NUMBER: _ClassVar[int]
    HEAPMEMORY_FIELD_NUMBER: _ClassVar[int]
    Gen0CollectCount: int
    Gen1CollectCount: int
    Gen2CollectCount: int
    HeapMemory: int
    def __init__(self, Gen0CollectCount: _Optional[int] = ..., Gen1CollectCount: _Optional[int] = ..., Gen2CollectCount: _Optional[int] = ..., HeapMemory: _Optional[int] = ...) -> None: ...

class ClrThread(_message.Message):
    __slots__ = ("AvailableCompletionPortThreads", "AvailableWorkerThreads", "MaxCompletionPortThreads", "MaxWorkerThreads")
    AVAILABLECOMPLETIONPORTTHREADS_FIELD_NUMBER: _ClassVar[int]
    AVAILABLEWORKERTHREADS_FIELD_NUMBER: _ClassVar[int]
    MAXCOMPLETIONPORTTHREADS_FIELD_NUMBER: _ClassVar[int]
    MAXWORKERTHREADS_FIELD_NUMBER: _ClassVar[int]
    AvailableCompletionPortThreads: int
    AvailableWorkerThreads: int
    MaxCompletionPortThreads: int
    MaxWorkerThreads: int
    def __init__(self, AvailableCompletionPortThreads: _Optional[int] = ..., AvailableWorkerThreads: _Optional[int] = ..., MaxCompletionPortThreads: _Optional[int] = ..., MaxWorkerThreads: _Optional[int] = ...) -> None: ...

class LogData(_message.Message):
    __slots__ = ("timestamp", "service", "serviceInstance", "endpoint", "body", "traceContext", "tags", "layer")
    TIMESTAMP_FIELD_NUMBER: _ClassVar[int]
    SERVICE_FIELD_NUMBER: _ClassVar[int]
    SERVICEINSTANCE_FIELD_NUMBER: _ClassVar[int]
    ENDPOINT_FIELD_NUMBER: _ClassVar[int]
    BODY_FIELD_NUMBER: _ClassVar[int]
    TRACECONTEXT_FIELD_NUMBER: _ClassVar[int]
    TAGS_FIELD_NUMBER: _ClassVar[int]
    LAYER_FIELD_NUMBER: _ClassVar[int]
    timestamp: int
    service: str
    serviceInstance: str
    endpoint: str
    body: LogDataBody
    traceContext: TraceContext
    tags: LogTags
    layer: str
    def __init__(self, timestamp: _Optional[int] = ..., service: _Optional[str] = ..., serviceInstance: _Optional[str] = ..., endpoint: _Optional[str] = ..., body: _Optional[_Union[LogDataBody, _Mapping]] = ..., traceContext: _Optional[_Union[TraceContext, _Mapping]] = ..., tags: _Optional[_Union[LogTags, _Mapping]] = ..., layer: _Optional[str] = ...) -> None: ...

class LogDataBody(_message.Message):
    __slots__ = ("type", "text", "json", "yaml")
    TYPE_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    JSON_FIELD_NUMBER: _ClassVar[int]
    YAML_FIELD_NUMBER: _ClassVar[int]
    type: str
    text: TextLog
    json: JSONLog
    yaml: YAMLLog
    def __init__(self, type: _Optional[str] = ..., text: _Optional[_Union[TextLog, _Mapping]] = ..., json: _Optional[_Union[JSONLog, _Mapping]] = ..., yaml: _Optional[_Union[YAMLLog, _Mapping]] = ...) -> None: ...

class TextLog(_message.Message):
    __slots__ = ("text",)
    TEXT_FIELD_NUMBER: _ClassVar[int]
    text: str
    def __init__(self, text: _Optional[str] = ...) -> None: ...

class JSONLog(_message.Message):
    __slots__ = ("json",)
    JSON_FIELD_NUMBER: _ClassVar[int]
    json: str
    def __init__(self, json: _Optional[str] = ...) -> None: ...

class YAMLLog(_message.Message):
    __slots__ = ("yaml",)
    YAML_FIELD_NUMBER: _ClassVar[int]
    yaml: str
    def __init__(self, yaml: _Optional[str] = ...) -> None: ...

class TraceContext(_message.Message):
    __slots__ = ("traceId", "traceSegmentId", "spanId")
    TRACEID_FIELD_NUMBER: _ClassVar[int]
    TRACESEGMENTID_FIELD_NUMBER: _ClassVar[int]
    SPANID_FIELD_NUMBER: _ClassVar[int]
    traceId: str
    traceSegmentId: str
    spanId: int
    def __init__(self, traceId: _Optional[str] = ..., traceSegmentId: _Optional[str] = ..., spanId: _Optional[int] = ...) -> None: ...

class LogTags(_message.Message):
    __slots__ = ("data",)
    DATA_FIELD_NUMBER: _ClassVar[int]
    data: _containers.RepeatedCompositeFieldContainer[KeyStringValuePair]
    def __init__(self, data: _Optional[_Iterable[_Union[KeyStringValuePair, _Mapping]]] = ...) -> None: ...

class Event(_message.Message):
    __slots__ = ("uuid", "source", "name", "type", "message", "parameters", "startTime", "endTime", "layer")
    class ParametersEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    UUID_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    TYPE_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    PARAMETERS_FIELD_NUMBER: _ClassVar[int]
    STARTTIME_FIELD_NUMBER: _ClassVar[int]
    ENDTIME_FIELD_NUMBER: _ClassVar[int]
    LAYER_FIELD_NUMBER: _ClassVar[int]
    uuid: str
    source: Source
    name: str
    type: EventType
    message: str
    parameters: _containers.ScalarMap[str, str]
    startTime: int
    endTime: int
    layer: str
    def __init__(self, uuid: _Optional[str] = ..., source: _Optional[_Union[Source, _Mapping]] = ..., name: _Optional[str] = ..., type: _Optional[_Union[EventType, str]] = ..., message: _Optional[str] = ..., parameters: _Optional[_Mapping[str, str]] = ..., startTime: _Optional[int] = ..., endTime: _Optional[int] = ..., layer: _Optional[str] = ...) -> None: ...

class Source(_message.Message):
    __slots__ = ("service", "serviceInstance", "endpoint")
    SERVICE_FIELD_NUMBER: _ClassVar[int]
    SERVICEINSTANCE_FIELD_NUMBER: _ClassVar[int]
    ENDPOINT_FIELD_NUMBER: _ClassVar[int]
    service: str
    serviceInstance: str
    endpoint: str
    def __init__(self, service: _Optional[str] = ..., serviceInstance: _Optional[str] = ..., endpoint: _Optional[str] = ...) -> None: ...

class ProfileTaskCommandQuery(_message.Message):
    __slots__ = ("service", "serviceInstance", "lastCommandTime")
    SERVICE_FIELD_NUMBER: _ClassVar[int]
    SERVICEINSTANCE_FIELD_NUMBER: _ClassVar[int]
    LASTCOMMANDTIME_FIELD_NUMBER: _ClassVar[int]
    service: str
    serviceInstance: str
    lastCommandTime: int
    def __init__(self, service: _Optional[str] = ..., serviceInstance: _Optional[str] = ..., lastCommandTime: _Optional[int] = ...) -> None: ...

class ThreadSnapshot(_message.Message):
    __slots__ = ("taskId", "traceSegmentId", "time", "sequence", "stack")
    TASKID_FIELD_NUMBER: _ClassVar[int]
    TRACESEGMENTID_FIELD_NUMBER: _ClassVar[int]
    TIME_FIELD_NUMBER: _ClassVar[int]
    SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    STACK_FIELD_NUMBER: _ClassVar[int]
    taskId: str
    traceSegmentId: str
    time: int
    sequence: int
    stack: ThreadStack
    def __init__(self, taskId: _Optional[str] = ..., traceSegmentId: _Optional[str] = ..., time: _Optional[int] = ..., sequence: _Optional[int] = ..., stack: _Optional[_Union[ThreadStack, _Mapping]] = ...) -> None: ...

class ThreadStack(_message.Message):
    __slots__ = ("codeSignatures",)
    CODESIGNATURES_FIELD_NUMBER: _ClassVar[int]
    codeSignatures: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, codeSignatures: _Optional[_Iterable[str]] = ...) -> None: ...

class ProfileTaskFinishReport(_message.Message):
    __slots__ = ("service", "serviceInstance", "taskId")
    SERVICE_FIELD_NUMBER: _ClassVar[int]
    SERVICEINSTANCE_FIELD_NUMBER: _ClassVar[int]
    TASKID_FIELD_NUMBER: _ClassVar[int]
    service: str
    serviceInstance: str
    taskId: str
    def __init__(self, service: _Optional[str] = ..., serviceInstance: _Optional[str] = ..., taskId: _Optional[str] = ...) -> None: ...

class BrowserPerfData(_message.Message):
    __slots__ = ("service", "serviceVersion", "time", "pagePath", "redirectTime", "dnsTime", "ttfbTime", "tcpTime", "transTime", "domAnalysisTime", "fptTime", "domReadyTime", "loadPageTime", "resTime", "sslTime", "ttlTime", "firstPackTime", "fmpTime")
    SERVICE_FIELD_NUMBER: _ClassVar[int]
    SERVICEVERSION_FIELD_NUMBER: _ClassVar[int]
    TIME_FIELD_NUMBER: _ClassVar[int]
    PAGEPATH_FIELD_NUMBER: _ClassVar[int]
    REDIRECTTIME_FIELD_NUMBER: _ClassVar[int]
    DNSTIME_FIELD_NUMBER: _ClassVar[int]
    TTFBTIME_FIELD_NUMBER: _ClassVar[int]
    TCPTIME_FIELD_NUMBER: _ClassVar[int]
    TRANSTIME_FIELD_NUMBER: _ClassVar[int]
    DOMANALYSISTIME_FIELD_NUMBER: _ClassVar[int]
    FPTTIME_FIELD_NUMBER: _ClassVar[int]
    DOMREADYTIME_FIELD_NUMBER: _ClassVar[int]
    LOADPAGETIME_FIELD_NUMBER: _ClassVar[int]
    RESTIME_FIELD_NUMBER: _ClassVar[int]
    SSLTIME_FIELD_NUMBER: _ClassVar[int]
    TTLTIME_FIELD_NUMBER: _ClassVar[int]
    FIRSTPACKTIME_FIELD_NUMBER: _ClassVar[int]
    FMPTIME_FIELD_NUMBER: _ClassVar[int]
    service: str
    serviceVersion: str
    time: int
    pagePath: str
    redirectTime: int
    dnsTime: int
    ttfbTime: int
    tcpTime: int
    transTime: int
    domAnalysisTime: int
    fptTime: int
    domReadyTime: int
    loadPageTime: int
    resTime: int
    sslTime: int
    ttlTime: int
    firstPackTime: int
    fmpTime: int
    def __init__(self, service: _Optional[str] = ..., serviceVersion: _Optional[str] = ..., time: _Optional[int] = ..., pagePath: _Optional[str] = ..., redirectTime: _Optional[int] = ..., dnsTime: _Optional[int] = ..., ttfbTime: _Optional[int] = ..., tcpTime: _Optional[int] = ..., transTime: _Optional[int] = ..., domAnalysisTime: _Optional[int] = ..., fptTime: _Optional[int] = ..., domReadyTime: _Optional[int] = ..., loadPageTime: _Optional[int] = ..., resTime: _Optional[int] = ..., sslTime: _Optional[int] = ..., ttlTime: _Optional[int] = ..., firstPackTime: _Optional[int] = ..., fmpTime: _Optional[int] = ...) -> None: ...

class BrowserErrorLog(_message.Message):
    __slots__ = ("uniqueId", "service", "serviceVersion", "time", "pagePath", "category", "grade", "message", "line", "col", "stack", "errorUrl", "firstReportedError")
    UNIQUEID_FIELD_NUMBER: _ClassVar[int]
    SERVICE_FIELD_NUMBER: _ClassVar[int]
    SERVICEVERSION_FIELD_NUMBER: _ClassVar[int]
    TIME_FIELD_NUMBER: _ClassVar[int]
    PAGEPATH_FIELD_NUMBER: _ClassVar[int]
    CATEGORY_FIELD_NUMBER: _ClassVar[int]
    GRADE_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    LINE_FIELD_NUMBER: _ClassVar[int]
    COL_FIELD_NUMBER: _ClassVar[int]
    STACK_FIELD_NUMBER: _ClassVar[int]
    ERRORURL_FIELD_NUMBER: _ClassVar[int]
    FIRSTREPORTEDERROR_FIELD_NUMBER: _ClassVar[int]
    uniqueId: str
    service: str
    serviceVersion: str
    time: int
    pagePath: str
    category: ErrorCategory
    grade: str
    message: str
    line: int
    col: int
    stack: str
    errorUrl: str
    firstReportedError: bool
    def __init__(self, uniqueId: _Optional[str] = ..., service: _Optional[str] = ..., serviceVersion: _Optional[str] = ..., time: _Optional[int] = ..., pagePath: _Optional[str] = ..., category: _Optional[_Union[ErrorCategory, str]] = ..., grade: _Optional[str] = ..., message: _Optional[str] = ..., line: _Optional[int] = ..., col: _Optional[int] = ..., stack: _Optional[str] = ..., errorUrl: _Optional[str] = ..., firstReportedError: bool = ...) -> None: ...
