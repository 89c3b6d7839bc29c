/**
 * What the options of the debugger's tools mean, by tool and option, where the user reads another language than the one
 * the server says it in. A tool of a newer server, which nothing is said of here, speaks for itself.
 */

import type { Language } from ".";

const zh: Record<string, Record<string, string>> = {
  cpu: {
    mode: "cpu：按线程实际使用的 CPU 计；wall：按经过的时间计，包含等待",
    hz: "每秒采样次数",
    threads: "只看这些线程：名称（* 代表任意字符）或系统线程号，用逗号分隔",
    endpoint: "只看正在处理该接口请求的线程，接口名与调用链中相同；* 代表任意字符",
    trace: "只看处于该调用链某个 Span 中的线程：32 位十六进制",
    idle: "mode 为 wall 时，也包含等待任务的空闲线程",
    by_thread: "每个线程一棵树，而不是合并成一棵",
    max_nodes: "树中最多的节点数；超出的调用栈只计数",
  },
  calls: {
    c_functions: "也统计用 C 编写的函数和类的调用",
    endpoint: "只看该接口的请求内部，接口名与调用链中相同；* 代表任意字符",
    trace: "只看该调用链内部：32 位十六进制",
    max_functions: "最多区分多少个函数；其余的合并为一行",
  },
  leaks: {
    endpoint: "只看该路由的请求，写作 `GET /orders/{id}` 或 `/orders/*`；留空为全部",
    one_in: "每多少个请求检查一个",
    max_loops: "最多检查多少个请求",
    max_blocks: "最多记录多少次内存分配，每次占 40 字节",
    confirm:
      "用于 Python 3.12 及更早版本：再用 tracemalloc 检查十个请求（开销为数倍），以找到字典、列表、元组和浮点数的准确行号",
  },
  stalls: { threshold_ms: "事件循环超过这么久没有返回即为阻塞；垃圾回收停顿达到这么久也会记录" },
  syscalls: {
    threshold_ms: "系统调用达到这么久即为慢调用",
    locks: "也包含对 Python 锁的等待：其中许多来自无事可做的线程",
  },
  stacks: { tasks: "也包含 asyncio 任务", frames: "每个线程和任务最多显示多少帧，从最内层算起" },
  heap: {
    again_after_s: "间隔这么久再看一次，报告增长了什么；0：只看一次",
    baseline: "本进程某个已保留快照的名称：报告此后增长了什么",
    keep: "保留快照的内容（每个对象 8 到 16 字节），供以后作为 `baseline`",
    max_objects: "最多检查多少个对象",
    max_pause_ms: "如果应用需要等待得比这更久，则拒绝执行",
    time_limit_s: "超过这么久就放弃",
  },
};

/** What of a tool is exact, and what is not: the server's sentences, taken apart at `; `, and what they are in Chinese. */
const sentencesZh: readonly (readonly [said: RegExp, zh: string])[] = [
  [
    /^every call of Python functions from the start on, their callers, and calls of C functions from Python$/,
    "从开始起的每次 Python 函数调用及其调用者，以及从 Python 对 C 函数的调用",
  ],
  [
    /^times: they contain the watching itself, most where functions are tiny$/,
    "时间：包含观测本身的开销，函数越小影响越大",
  ],
  [/^time is real time, waits for the GIL included$/, "时间为实际经过的时间，包含等待 GIL"],
  [
    /^classes that are called, and threads that begin without `threading`, for up to a second$/,
    "对类的调用，以及不经 `threading` 启动的线程（最多一秒）",
  ],
  [
    /^greenlets that switch inside of each other's calls mix up their callers and times$/,
    "在彼此调用中切换的 greenlet 会混淆调用者和时间",
  ],
  [
    /^which call, how long and from which line, of every call that Python and its libraries make through functions of the C library$/,
    "Python 及其库通过 C 库函数发起的每次调用：哪个调用、耗时、来自哪一行",
  ],
  [
    /^calls that a library makes without the C library are not seen, nor is epoll$/,
    "库不经 C 库发起的调用看不到，epoll 也看不到",
  ],
  [/^what a descriptor is was looked up right after the call$/, "描述符指向什么，是在调用刚结束后查到的"],
  [/^what is seen was so at that moment$/, "所见即当时的真实状态"],
  [
    /^the sampler takes the GIL \((.*)\): fewer looks than asked for, and more of them at places that let go of the GIL$/,
    "采样器需要获取 GIL（$1）：采样次数少于要求，且偏向释放 GIL 的位置",
  ],
  [/^no filter by endpoint or trace$/, "不能按接口或调用链过滤"],
  [/^CPU time per thread$/, "每个线程的 CPU 时间"],
  [/^the functions and lines of each stack that was looked at$/, "每次采样到的调用栈的函数和行号"],
  [/^shares: a function with n samples is known to about 1\/sqrt\(n\)$/, "占比：有 n 个样本的函数，误差约为 1/sqrt(n)"],
  [
    /^a stack that changes while it is read may join two moments a microsecond apart$/,
    "读取时正在变化的调用栈，可能拼接了相差一微秒的两个时刻",
  ],
  [/^tasks that wait are on no stack, use `stacks`$/, "等待中的任务不在任何调用栈上，请用 `stacks`"],
  [
    /^how long each stall took, and each pause of the collector, on CPython (\S+): asyncio's callbacks and uvloop's iterations$/,
    "每次阻塞和每次垃圾回收停顿的时长，在 CPython $1 上：asyncio 的回调和 uvloop 的每轮循环",
  ],
  [
    /^the line and the cause: by looks each 2 ms or so while the loop was blocked$/,
    "代码行和原因：在循环阻塞期间约每 2 ms 查看一次得出",
  ],
  [/^a stall that ends before the watchdog gets a processor is missed$/, "在看门狗获得处理器之前就结束的阻塞会被漏掉"],
  [
    /^a uvloop's task is not known by name, and its first iteration is not timed$/,
    "uvloop 的任务名称未知，其第一轮循环不计时",
  ],
  [/^all objects at one moment$/, "同一时刻的所有对象"],
  [/^counts and sizes by type$/, "各类型的数量和大小"],
  [/^who refers to whom$/, "谁引用谁"],
  [/^what is retained$/, "持有的内存"],
  [/^memory that C libraries hold for an object is not part of its size$/, "C 库为对象持有的内存不计入其大小"],
  [
    /^an object whose address another of its type has taken over counts as old in a comparison$/,
    "地址被同类型另一对象占用时，对比中算作旧对象",
  ],
  [/^line and type of what is kept$/, "保留内存的代码行和类型"],
  [/^type of what is kept, and its line$/, "保留内存的类型及其代码行"],
  [
    /^lines of dicts, lists, tuples and floats: tracemalloc runs$/,
    "字典、列表、元组和浮点数的代码行：tracemalloc 正在运行",
  ],
  [
    /^lines of dicts, lists, tuples and floats, until `confirm` has found them$/,
    "字典、列表、元组和浮点数的代码行，直到 `confirm` 找到它们",
  ],
  [/^frames of all threads at one moment$/, "同一时刻所有线程的栈帧"],
  [
    /^not told: who holds the GIL, and what a stuck process does \((.*)\)$/,
    "无法得知：谁持有 GIL，以及卡住的进程在做什么（$1）",
  ],
  [
    /^frames, lines and kernel state of each thread, also while the process is stuck$/,
    "每个线程的栈帧、行号和内核状态，进程卡住时也可以",
  ],
  [
    /^threads are read one after the other while they run, within a millisecond or so$/,
    "线程在运行中逐个读取，相差约一毫秒",
  ],
  [
    /^tasks: what is behind an iterator written in C, and who waits through a callback that is not asyncio's$/,
    "任务：C 编写的迭代器背后的内容，以及通过非 asyncio 回调等待的任务",
  ],
];

const SENTENCES: Record<Language, readonly (readonly [said: RegExp, text: string])[]> = { en: [], zh: sentencesZh };

/** How exact a tool is: the console's words for each part of what the process says of it, else the process's. */
export function exactnessText(language: Language, said: string): string {
  const known = SENTENCES[language];
  if (known.length === 0) return said;
  return said
    .split("; ")
    .map((one) => {
      const found = known.find(([pattern]) => pattern.test(one));
      return found ? one.replace(found[0], found[1]) : one;
    })
    .join("；");
}

const WORDS: Record<Language, Record<string, Record<string, string>>> = { en: {}, zh };

/** The text for an option: the console's, else what the server says of it. */
export function optionText(language: Language, tool: string, option: string, said: string): string {
  return WORDS[language][tool]?.[option] ?? said;
}
