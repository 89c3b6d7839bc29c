/**
 * What the debugger's tools say about a result, where the user reads another language than the one that they say it in.
 * A note of a newer probe, which nothing is said of here, speaks for itself.
 */

import type { Language } from ".";

const zh: readonly (readonly [said: RegExp, zh: string])[] = [
  [
    /^Ended after (.+) s: the tool itself had used (.+) s of CPU, and may use (.+) of a core\.$/,
    "在 $1 s 后结束：工具自身已使用 $2 s CPU，而它最多可使用一个核心的 $3。",
  ],
  [/^The summary is too long for a table: see summary\.json\.$/, "摘要太长，无法列表显示：见 summary.json。"],
  // calls
  [
    /^Times contain the watching, some (.+) ns a call: tiny functions look dearer than they are\.$/,
    "时间包含观测开销，每次调用约 $1 ns：很小的函数看起来比实际更耗时。",
  ],
  [
    /^Calls that were under way at the start are outside \(-1\): only what they call from then on is seen\.$/,
    "开始时已在执行的调用记为外部（-1）：只能看到它们此后的调用。",
  ],
  [
    /^No call was seen inside of (.+): did a request of it come in that time\?$/,
    "在 $1 中没有看到任何调用：这段时间内有它的请求吗？",
  ],
  [
    /^A request belongs to its endpoint from the moment that it is routed; what runs before is left out\.$/,
    "请求从完成路由起才归属其接口，此前运行的不计入。",
  ],
  [
    /^(.+) calls found no room among max_functions and are under \(others\)\.$/,
    "$1 次调用超出 max_functions，归入 (others)。",
  ],
  [/^(.+) calls were nested deeper than (.+) and are not counted\.$/, "$1 次调用的嵌套深度超过 $2，未计入。"],
  [
    /^(.+) times nested calls had taken half of a thread's stack: what was called from there, and in other threads meanwhile, is not counted\.$/,
    "有 $1 次，嵌套调用占用了线程栈的一半：从那里起以及同时在其他线程中的调用未计入。",
  ],
  [
    /^Greenlets are in use: where they switch inside of calls, callers and times are mixed up\.$/,
    "使用了 greenlet：在调用内部切换时，调用者和时间会混淆。",
  ],
  // cpu
  [
    /^Seen by a thread that takes the GIL, since (.+): it looked (.+) times of (.+) asked for, more often where the program lets go of the GIL\.$/,
    "由需要获取 GIL 的线程采样（$1）：要求 $3 次，实际 $2 次，多在程序释放 GIL 之处。",
  ],
  [
    /^No thread was seen in (.+): did a request of it come in that time\?$/,
    "没有线程处于 $1：这段时间内有它的请求吗？",
  ],
  [/^Nothing ran in that time, as far as was looked at\.$/, "在观测范围内，这段时间没有任何代码运行。"],
  [
    /^(.+) of (.+) looks did not happen in time: the machine is busy, or there are very many threads\. Weights allow for that\.$/,
    "$2 次采样中有 $1 次未能按时进行：机器繁忙，或线程很多。权重已对此作了修正。",
  ],
  [/^(.+) samples found no room in the tree: ask for more max_nodes\.$/, "$1 个样本在树中没有位置：请增大 max_nodes。"],
  [/^(.+) stacks moved while they were read, and are not in the profile\.$/, "$1 个调用栈在读取时发生变化，未计入。"],
  [/^(.+) stacks were deeper than (.+) frames and lack the outermost\.$/, "$1 个调用栈超过 $2 帧，缺少最外层的帧。"],
  [
    /^(.+) stacks that waited for work are left out; the option `idle` shows them\.$/,
    "$1 个等待任务的调用栈已略去，选项 `idle` 可显示它们。",
  ],
  // heap
  [
    /^The application waited for (.+) ms at the longest; a process of its own looked, for (.+) s\.$/,
    "应用最长等待了 $1 ms；查看由单独的进程进行，用时 $2 s。",
  ],
  [
    /^Objects take up (.+) of the (.+) of this process's own \((.+)\): the rest is native, as libraries and their data, stacks, and memory that was freed and not given back\.$/,
    "对象占本进程私有内存 $2 中的 $1（$3），其余为原生内存：库及其数据、线程栈，以及已释放但未归还的内存。",
  ],
  [/^Of the allocator's (.+) for small objects (.+) are not in use\.$/, "小对象分配器的 $1 中有 $2 未使用。"],
  [/^There was no memory to find out what each object retains\.$/, "内存不足，无法计算每个对象所保留的内存。"],
  [
    /^Retained: what would be free if the object went, by the dominators of the whole graph of references\.$/,
    "保留内存：对象消失后会释放多少，按整个引用图的支配关系计算。",
  ],
  [
    /^(.+) objects or references found no room in max_objects: sizes are too small\.$/,
    "$1 个对象或引用超出 max_objects：大小偏小。",
  ],
  [
    /^(.+) objects are reached from no module and no frame: C code holds them, or they are garbage that was not collected yet\. They are below `native code`\.$/,
    "$1 个对象无法从任何模块或栈帧到达：由 C 代码持有，或是尚未回收的垃圾。它们列在 `native code` 之下。",
  ],
  // leaks
  [
    /^The first request is never judged, and the last one not before another has followed\.$/,
    "第一个请求从不判断，最后一个请求要等下一个请求之后才判断。",
  ],
  [/^No request came in that time, or none that the probe sees\.$/, "这段时间没有请求，或没有探针能看到的请求。"],
  [
    /^(.+) requests were judged: with a dozen and more the verdict is firm\.$/,
    "判断了 $1 个请求：达到十几个以上，结论才可靠。",
  ],
  [
    /^The application has switched garbage collection off: what only cycles hold counts as kept\.$/,
    "应用关闭了垃圾回收：仅由循环引用持有的内存也计为保留。",
  ],
  [
    /^Lines of dicts, lists, tuples and floats are approximate: tracemalloc was told of new objects, not we\.$/,
    "字典、列表、元组和浮点数的代码行是近似的：新对象由 tracemalloc 得知，而不是我们。",
  ],
  [
    /^Lines of dicts, lists, tuples and floats were confirmed with tracemalloc in ten requests\.$/,
    "字典、列表、元组和浮点数的代码行已用 tracemalloc 在十个请求中确认。",
  ],
  [
    /^Lines of dicts, lists, tuples and floats are approximate: this Python re-uses dead ones\.$/,
    "字典、列表、元组和浮点数的代码行是近似的：此版本的 Python 会复用已消亡的对象。",
  ],
  [
    /^(.+) requests were judged while tasks or callbacks of theirs still lived; what those allocated later is left out\.$/,
    "$1 个请求在其任务或回调仍存活时就已判断，它们之后的分配未计入。",
  ],
  [
    /^(.+) allocations or places found no room in the tables: sums are too small\.$/,
    "$1 次分配或位置在表中没有位置：合计偏小。",
  ],
  [
    /^The process grew by (.+) bytes while what requests keep grew by (.+): the rest is fragmentation, or memory that native code keeps and Python's allocators never see\.$/,
    "进程增长了 $1 字节，而请求保留的内存增长了 $2 字节：其余为碎片，或原生代码持有、Python 分配器看不到的内存。",
  ],
  [
    /^Another tool has set its allocation hooks above ours: ours stay below, and do nothing\.$/,
    "另一个工具在我们之上设置了分配钩子：我们的钩子留在下层，不再起作用。",
  ],
  // stacks
  [/^(.+) tasks: only (.+) of them are shown\.$/, "共 $1 个任务，只显示其中 $2 个。"],
  [
    /^(.+) threads: the first (.+) are in the table, all are in stacks\.json\.$/,
    "共 $1 个线程：表中为前 $2 个，全部见 stacks.json。",
  ],
  [/^More than (.+) tasks: those after them are in stacks\.json\.$/, "任务超过 $1 个：其余见 stacks.json。"],
  [/^(.+) threads found no room\.$/, "$1 个线程没有位置。"],
  [/^(.+) threads are deeper than the (.+) frames that are shown\.$/, "$1 个线程的调用栈比所显示的 $2 帧更深。"],
  [
    /^Python did not answer: the process is stuck, or very busy\. Read without it, so names of threads are the kernel's, and tasks of asyncio are not told\.$/,
    "Python 没有应答：进程卡住或非常繁忙。以下在没有它的情况下读取，因此线程名来自内核，且没有 asyncio 任务。",
  ],
  [/^(.+) of (.+) threads found no room in the answer\.$/, "$2 个线程中有 $1 个在应答中没有位置。"],
  [/^There was no memory to read any thread\.$/, "内存不足，无法读取任何线程。"],
  [/^(.+) threads are deeper than what is shown of them\.$/, "$1 个线程的调用栈比所显示的更深。"],
  // stalls
  [
    /^No event loop ran a callback in that time: is this a process with a loop\?$/,
    "这段时间没有事件循环执行回调：这个进程有事件循环吗？",
  ],
  [
    /^(.+) had not ended yet when the run did; they are in stalls\.json, and not counted\.$/,
    "运行结束时有 $1 次阻塞尚未结束：见 stalls.json，未计入。",
  ],
  [/^(.+) more stalls were counted only: too many came at once\.$/, "另有 $1 次阻塞只计了数：同时发生得太多。"],
  [
    /^(.+) stalls were over before anybody could look; what ran is known, not where\.$/,
    "$1 次阻塞在查看之前就已结束：知道运行的是什么，但不知道在哪一行。",
  ],
  [/^(.+) more long pauses of the collector were counted only\.$/, "另有 $1 次较长的垃圾回收停顿只计了数。"],
  [/^(.+) loops are not watched: (.+) threads at once are\.$/, "$1 个事件循环未被观测：最多同时观测 $2 个线程。"],
  [
    /^uvloop: what is timed is a whole iteration, all callbacks between two waits for the network; the line is where at least half of it went\.$/,
    "uvloop：计时的是一次完整的迭代，即两次等待网络之间的所有回调；所示的行占用了其中至少一半时间。",
  ],
  [/^(.+) has the (.+) longest of (.+) (?:stalls|calls)\.$/, "$1 中有 $3 次里最长的 $2 次。"],
  // syscalls
  [
    /^(.+) more waits were of threads that had nothing to do, and are left out\.$/,
    "另有 $1 次等待来自无事可做的线程，已略去。",
  ],
  [/^(.+) more slow calls were counted only: too many came at once\.$/, "另有 $1 次慢调用只计了数：同时发生得太多。"],
  [/^(.+) places could not be hooked: calls from there are not seen\.$/, "$1 处无法挂钩：看不到来自那里的调用。"],
  [
    /^(.+) hooks had been replaced by somebody else's meanwhile, and were left alone\.$/,
    "$1 个钩子在此期间已被他人替换，未作改动。",
  ],
];

const NOTES: Record<Language, readonly (readonly [said: RegExp, text: string])[]> = { en: [], zh };

/** The console's words for a note, else the process's. */
export function noteText(language: Language, said: string): string {
  const found = NOTES[language].find(([pattern]) => pattern.test(said));
  return found ? said.replace(found[0], found[1]) : said;
}
