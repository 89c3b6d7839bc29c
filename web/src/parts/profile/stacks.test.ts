import { describe, expect, it } from "vitest";

import { awaitRows, groupsOf, hasWords, type StackTask, type StackThread, stacksText } from "./stacks";

const thread = (more: Partial<StackThread>): StackThread => ({
  tid: 1,
  name: "worker",
  main: false,
  holds_gil: false,
  cpu_ns: 0,
  state: "S",
  syscall: "futex",
  wchan: "",
  span: null,
  frames: [["Queue.get", "/usr/lib/python3.12/queue.py", 171]],
  depth: 1,
  ...more,
});

const task = (name: string, awaited_by: string[] = []): StackTask => ({
  name,
  coroutine: "work",
  current: false,
  state: "waiting",
  waits_for: "",
  awaited_by,
  span: null,
  frames: [],
});

describe("threads", () => {
  it("that stand at the same place are one group, but for those that matter by themselves", () => {
    const groups = groupsOf([
      thread({ tid: 2 }),
      thread({ tid: 3 }),
      thread({ tid: 4, holds_gil: true }),
      thread({ tid: 1, main: true, state: "R" }),
      thread({ tid: 5, syscall: "epoll_wait" }),
    ]);
    expect(groups.map(({ threads }) => threads.map(({ tid }) => tid))).toEqual([[4], [1], [2, 3], [5]]);
  });

  it("are found by any frame", () => {
    const { frames, name } = thread({});
    expect(hasWords("QUEUE.py:171 worker", [name], frames)).toBe(true);
    expect(hasWords("select", [name], frames)).toBe(false);
  });
});

describe("tasks", () => {
  it("stand below those that wait for them", () => {
    const rows = awaitRows([task("child", ["parent"]), task("parent"), task("grandchild", ["child"]), task("alone")]);
    expect(rows.map(({ task: { name }, depth }) => [name, depth])).toEqual([
      ["parent", 0],
      ["child", 1],
      ["grandchild", 2],
      ["alone", 0],
    ]);
  });

  it("are all there when they wait for each other, for themselves or for somebody unknown", () => {
    const rows = awaitRows([task("a", ["b"]), task("b", ["a"]), task("c", ["c"]), task("d", ["gone"])]);
    expect(rows.map(({ task: { name } }) => name).sort()).toEqual(["a", "b", "c", "d"]);
  });
});

it("stacks as text have every frame", () => {
  const words = stacksText({
    threads: [thread({ holds_gil: true })],
    loops: [{ name: "asyncio", tid: 1, tasks: [{ ...task("t"), frames: [["work", "/app.py", 3]] }] }],
  });
  expect(words).toContain(
    "thread 1 worker, holds the GIL, S, in futex\n    Queue.get (/usr/lib/python3.12/queue.py:171)",
  );
  expect(words).toContain("task t, waiting\n    work (/app.py:3)");
});
