import { useCallback, useEffect, useState } from "react";

import { download } from "../../api/http";
import { contentAddress } from "../../api/nodejs";
import type { NodejsFile } from "../../api/nodejsTypes";
import type { FromWorker, HeapSummary, ToWorker } from "../../parts/snapshot/messages";
import type { Answer, Ask } from "../../parts/snapshot/SnapshotView";

export type SnapshotState =
  | { stage: "fetching"; share: number; read_bytes: number }
  | { stage: "building"; share: number }
  | { stage: "ready"; summary: HeapSummary; ask: Ask }
  | { stage: "failed"; error: Error };

/** What may be on its way to the worker: a network is faster than its reading. */
const MOST_AHEAD_BYTES = 8 << 20;

/** A stored heap snapshot, handed to a worker as it arrives; the worker and its memory go with the page. */
export function useSnapshot({ id, parts }: NodejsFile): { state: SnapshotState; again: () => void } {
  const [state, setState] = useState<SnapshotState>({ stage: "fetching", share: 0, read_bytes: 0 });
  const [turn, setTurn] = useState(0);
  const size = parts[0]?.plain_bytes ?? 0;
  // biome-ignore lint/correctness/useExhaustiveDependencies: another turn begins anew
  useEffect(() => {
    setState({ stage: "fetching", share: 0, read_bytes: 0 });
    const reading = new Reading(id, size, setState);
    return () => reading.end();
  }, [id, size, turn]);
  const again = useCallback(() => setTurn((before) => before + 1), []);
  return { state, again };
}

class Reading {
  private readonly worker = new Worker(new URL("../../parts/snapshot/snapshotWorker.ts", import.meta.url), {
    type: "module",
  });
  private readonly stopped = new AbortController();
  private readonly asked = new Map<number, (answer: Answer) => void>();
  private questions = 0;
  private ahead_bytes = 0;
  private goOn: () => void = () => undefined;

  constructor(
    id: number,
    private readonly size: number,
    private readonly tell: (state: SnapshotState) => void,
  ) {
    this.worker.onmessage = ({ data }: MessageEvent<FromWorker>) => this.heard(data);
    this.worker.onerror = (event) =>
      this.failed(new Error(event.message || "The worker that reads the heap broke off."));
    this.fetched(id).catch((error: Error) => {
      if (!this.stopped.signal.aborted) this.failed(error);
    });
  }

  end(): void {
    this.stopped.abort();
    this.goOn();
    this.worker.terminate();
  }

  private failed(error: Error): void {
    this.tell({ stage: "failed", error });
    this.end();
  }

  private async fetched(id: number): Promise<void> {
    const stream = (await download(contentAddress(id), this.stopped.signal)).getReader();
    let read_bytes = 0;
    for (;;) {
      const { done, value } = await stream.read();
      if (done) break;
      read_bytes += value.length;
      this.ahead_bytes += value.length;
      this.send({ kind: "chunk", bytes: value }, [value.buffer]);
      this.tell({ stage: "fetching", read_bytes, share: this.size > 0 ? Math.min(1, read_bytes / this.size) : 0 });
      while (this.ahead_bytes > MOST_AHEAD_BYTES && !this.stopped.signal.aborted) {
        await new Promise<void>((resolve) => {
          this.goOn = resolve;
        });
      }
    }
    this.send({ kind: "end" });
  }

  private send(message: ToWorker, moved: ArrayBufferLike[] = []): void {
    this.worker.postMessage(message, moved as Transferable[]);
  }

  private heard(message: FromWorker): void {
    switch (message.kind) {
      case "taken":
        this.ahead_bytes -= message.bytes;
        this.goOn();
        break;
      case "progress":
        this.tell({ stage: "building", share: message.share });
        break;
      case "ready":
        this.tell({ stage: "ready", summary: message.summary, ask: this.ask });
        break;
      case "answer":
        this.asked.get(message.ask)?.(message.answer);
        this.asked.delete(message.ask);
        break;
      case "failure":
        this.failed(new Error(message.message));
        break;
    }
  }

  private readonly ask: Ask = (question) =>
    new Promise((resolve) => {
      const ask = this.questions++;
      this.asked.set(ask, resolve);
      this.send({ kind: "ask", ask, question });
    });
}
