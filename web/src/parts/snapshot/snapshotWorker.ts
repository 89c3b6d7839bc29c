/** Holds one heap apart from the page, which would stand still for seconds. Says what `messages.ts` lists. */

import { Heap } from "./Heap";
import type { FromWorker, Question, ToWorker } from "./messages";
import { BadSnapshot, SnapshotReader } from "./reader";

/** Longer lists are for search to narrow. */
const MOST_LISTED = 1000;

let reader: SnapshotReader | null = new SnapshotReader();
let heap: Heap | null = null;

const tell = (message: FromWorker) => self.postMessage(message);

function answerTo(known: Heap, question: Question) {
  switch (question.kind) {
    case "objects":
      return known.objectsOf(question.constructor_name, MOST_LISTED);
    case "found":
      return known.found(question.words, MOST_LISTED);
    case "object":
      return known.object(question.id);
  }
}

function build(read: SnapshotReader): void {
  const graph = read.finish();
  reader = null;
  heap = new Heap(graph, (share) => tell({ kind: "progress", share }));
  tell({
    kind: "ready",
    summary: { objects: heap.objects, bytes: heap.bytes, constructors: heap.constructors },
  });
}

self.onmessage = ({ data }: MessageEvent<ToWorker>) => {
  try {
    if (data.kind === "chunk") {
      reader?.push(data.bytes);
      tell({ kind: "taken", bytes: data.bytes.length });
    } else if (data.kind === "end" && reader) build(reader);
    else if (data.kind === "ask" && heap) {
      tell({ kind: "answer", ask: data.ask, answer: answerTo(heap, data.question) });
    }
  } catch (error) {
    reader = null; // what still arrives is of a file that cannot be read
    const refused = error instanceof BadSnapshot || error instanceof RangeError; // the latter: no memory for the arrays
    tell({ kind: "failure", message: error instanceof Error ? error.message : String(error) });
    if (!refused) throw error;
  }
};
