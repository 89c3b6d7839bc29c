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

const WORDS: Record<Language, Record<string, Record<string, string>>> = { en: {}, zh };

/** The text for an option: the console's, else what the server says of it. */
export function optionText(language: Language, tool: string, option: string, said: string): string {
  return WORDS[language][tool]?.[option] ?? said;
}
