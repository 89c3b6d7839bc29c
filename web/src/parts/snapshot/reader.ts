/**
 * Reads a V8 heap snapshot as its bytes arrive, into typed arrays: the text of a large heap would not fit into one
 * string, and its numbers as objects not into memory. Format: `snapshot.meta` at the start of the file names the fields.
 */

import { type HeapGraph, of } from "./heapGraph";

export class BadSnapshot extends Error {}

interface Header {
  meta: {
    node_fields: string[];
    node_types: (string | string[])[];
    edge_fields: string[];
    edge_types: (string | string[])[];
  };
  node_count: number;
  edge_count: number;
}

type Numbers = Uint8Array | Uint32Array | Float64Array;

/** Where a list of numbers goes: every n-th into the n-th column, or nowhere. */
interface Columns {
  into: (Numbers | null)[];
  rows: number;
  field: number;
  row: number;
}

const QUOTE = 34;
const BACKSLASH = 92;
const OPEN = 91;
const CLOSE = 93;
const OPEN_OBJECT = 123;
const CLOSE_OBJECT = 125;

const isBlank = (byte: number) => byte === 44 || byte === 32 || byte === 10 || byte === 13 || byte === 9 || byte === 58;

export class SnapshotReader {
  private state: "start" | "key" | "value" | "numbers" | "strings" | "ended" = "start";
  private key = "";
  private header: Header | null = null;
  private nodes: Columns | null = null;
  private edges: Columns | null = null;
  private columns: Columns | null = null;
  private readonly strings: string[] = [];
  private number = 0;
  private inNumber = false;
  /** Of a string, or of the header: what came with earlier chunks. */
  private pending: Uint8Array[] = [];
  private inString = false;
  private escaped = false;
  private hasEscapes = false;
  private depth = 0;
  private readonly decoder = new TextDecoder();

  /** Raises BadSnapshot when this cannot be one. */
  push(chunk: Uint8Array): void {
    let place = 0;
    while (place < chunk.length) {
      if (this.state === "numbers") place = this.readNumbers(chunk, place);
      else if (this.state === "strings") place = this.readStrings(chunk, place);
      else if (this.state === "value") place = this.readValue(chunk, place);
      else place = this.readKey(chunk, place);
    }
  }

  /** The heap, when all bytes were pushed. Raises BadSnapshot when some are missing. */
  finish(): HeapGraph {
    const { header, nodes, edges } = this;
    if (!header || !nodes || !edges) throw new BadSnapshot("the file is no heap snapshot");
    if (this.state !== "ended") throw new BadSnapshot("the file ends too early: it was cut off");
    if (nodes.row !== nodes.rows || edges.row !== edges.rows) {
      throw new BadSnapshot(
        `${nodes.row} nodes and ${edges.row} edges, not ${nodes.rows} and ${edges.rows} as announced`,
      );
    }
    return this.graphOf(header, nodes, edges);
  }

  private graphOf(header: Header, nodes: Columns, edges: Columns): HeapGraph {
    const { meta } = header;
    const fields = meta.node_fields.length;
    const counts = column(nodes, meta.node_fields, "edge_count");
    const firstEdge = new Uint32Array(nodes.rows + 1);
    for (let node = 0; node < nodes.rows; node++) firstEdge[node + 1] = of(firstEdge, node) + of(counts, node);
    if (of(firstEdge, nodes.rows) !== edges.rows) throw new BadSnapshot("the nodes have other edges than there are");
    const edgeTo = column(edges, meta.edge_fields, "to_node") as Uint32Array;
    for (let edge = 0; edge < edgeTo.length; edge++) {
      const to = of(edgeTo, edge) / fields;
      if (to >= nodes.rows || !Number.isInteger(to)) throw new BadSnapshot(`edge ${edge} leads to no node`);
      edgeTo[edge] = to;
    }
    return {
      nodeType: column(nodes, meta.node_fields, "type") as Uint8Array,
      nodeName: column(nodes, meta.node_fields, "name") as Uint32Array,
      nodeId: column(nodes, meta.node_fields, "id") as Uint32Array,
      selfSize: column(nodes, meta.node_fields, "self_size") as Float64Array,
      firstEdge,
      edgeType: column(edges, meta.edge_fields, "type") as Uint8Array,
      edgeName: column(edges, meta.edge_fields, "name_or_index") as Uint32Array,
      edgeTo,
      nodeTypes: meta.node_types[meta.node_fields.indexOf("type")] as string[],
      edgeTypes: meta.edge_types[meta.edge_fields.indexOf("type")] as string[],
      strings: this.strings,
    };
  }

  /** Between the members of the file. */
  private readKey(chunk: Uint8Array, start: number): number {
    let place = start;
    if (this.inString) return this.readText(chunk, place, (text) => this.entered(text));
    for (; place < chunk.length; place++) {
      const byte = of(chunk, place);
      if (isBlank(byte)) continue;
      if (this.state === "start") {
        if (byte !== OPEN_OBJECT) throw new BadSnapshot("the file is no heap snapshot");
        this.state = "key";
      } else if (byte === CLOSE_OBJECT && this.state === "key") {
        this.state = "ended";
      } else if (byte === QUOTE && this.state === "key") {
        this.inString = true;
        return place + 1;
      } else
        throw new BadSnapshot(`the file goes on with ${JSON.stringify(String.fromCharCode(byte))} at the wrong place`);
    }
    return place;
  }

  private entered(key: string): void {
    this.key = key;
    this.depth = 0;
    if (key === "nodes") this.enterNumbers(this.nodes);
    else if (key === "edges") this.enterNumbers(this.edges);
    else this.state = key === "strings" ? "strings" : "value";
  }

  private enterNumbers(columns: Columns | null): void {
    if (!columns) throw new BadSnapshot(`"${this.key}" stands before "snapshot"`);
    this.columns = columns;
    this.state = "numbers";
  }

  private readNumbers(chunk: Uint8Array, start: number): number {
    const columns = this.columns as Columns;
    const { into, rows } = columns;
    const fields = into.length;
    let { field, row } = columns;
    let { number, inNumber } = this;
    let place = start;
    for (; place < chunk.length; place++) {
      const byte = of(chunk, place);
      if (byte >= 48 && byte <= 57) {
        number = number * 10 + byte - 48;
        inNumber = true;
        continue;
      }
      if (inNumber) {
        if (row >= rows) throw new BadSnapshot(`more ${this.key} than announced`);
        const column = into[field];
        if (column) column[row] = number;
        if (++field === fields) {
          field = 0;
          row++;
        }
        number = 0;
        inNumber = false;
      }
      if (byte === CLOSE) {
        this.state = "key";
        place++;
        break;
      }
      if (!isBlank(byte) && byte !== OPEN) throw new BadSnapshot(`"${this.key}" holds something that is no number`);
    }
    columns.field = field;
    columns.row = row;
    this.number = number;
    this.inNumber = inNumber;
    return place;
  }

  private readStrings(chunk: Uint8Array, start: number): number {
    let place = start;
    while (place < chunk.length) {
      if (this.inString) {
        place = this.readText(chunk, place, (text) => this.strings.push(text));
        continue;
      }
      const byte = of(chunk, place++);
      if (byte === QUOTE) this.inString = true;
      else if (byte === CLOSE) {
        this.state = "key";
        return place;
      } else if (!isBlank(byte) && byte !== OPEN) throw new BadSnapshot(`"strings" holds something that is no text`);
    }
    return place;
  }

  /** Up to the quotation mark that ends it, or to the end of the chunk. */
  private readText(chunk: Uint8Array, start: number, take: (text: string) => void): number {
    for (let place = start; place < chunk.length; place++) {
      const byte = of(chunk, place);
      if (this.escaped) this.escaped = false;
      else if (byte === BACKSLASH) {
        this.escaped = true;
        this.hasEscapes = true;
      } else if (byte === QUOTE) {
        const text = this.textOf(chunk.subarray(start, place));
        this.inString = false;
        this.hasEscapes = false;
        take(text);
        return place + 1;
      }
    }
    this.pending.push(chunk.slice(start));
    return chunk.length;
  }

  private textOf(last: Uint8Array): string {
    const text = this.decoder.decode(this.pending.length > 0 ? this.joined(last) : last);
    return this.hasEscapes ? (parsed(`"${text}"`) as string) : text;
  }

  private joined(last: Uint8Array): Uint8Array {
    const parts = [...this.pending, last];
    this.pending = [];
    const whole = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
    let at = 0;
    for (const part of parts) {
      whole.set(part, at);
      at += part.length;
    }
    return whole;
  }

  /** A member that is read as a whole, or passed over. */
  private readValue(chunk: Uint8Array, start: number): number {
    for (let place = start; place < chunk.length; place++) {
      const byte = of(chunk, place);
      if (this.inString) {
        if (this.escaped) this.escaped = false;
        else if (byte === BACKSLASH) this.escaped = true;
        else if (byte === QUOTE) this.inString = false;
      } else if (byte === QUOTE) this.inString = true;
      else if (byte === OPEN || byte === OPEN_OBJECT) this.depth++;
      else if (byte === CLOSE || byte === CLOSE_OBJECT) {
        if (--this.depth > 0) continue;
        // a bare number or word at the end of the file is ended by the file's own brace
        const own = this.depth === 0;
        this.valueEnded(chunk.subarray(start, own ? place + 1 : place));
        return own ? place + 1 : place;
      } else if (byte === 44 && this.depth === 0) {
        this.valueEnded(chunk.subarray(start, place));
        return place;
      }
    }
    if (this.key === "snapshot") this.pending.push(chunk.slice(start));
    return chunk.length;
  }

  private valueEnded(last: Uint8Array): void {
    this.state = "key";
    if (this.key !== "snapshot") return;
    const text = this.decoder.decode(this.joined(last));
    this.header = headerOf(parsed(text.replace(/^[\s:]+/, "")));
    const { meta, node_count, edge_count } = this.header;
    this.nodes = columnsOf(meta.node_fields, node_count);
    this.edges = columnsOf(meta.edge_fields, edge_count);
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new BadSnapshot(`the file is no JSON: ${String(cause)}`);
  }
}

/** Larger than any heap that V8 can hold; what is announced is allocated at once. */
const MOST = 2 ** 28;

function headerOf(value: unknown): Header {
  const header = value as Partial<Header> | null;
  const meta = header?.meta;
  const fields = (names: unknown, wanted: readonly string[]) =>
    Array.isArray(names) && wanted.every((name) => names.includes(name));
  if (
    !fields(meta?.node_fields, ["type", "name", "id", "self_size", "edge_count"]) ||
    !fields(meta?.edge_fields, ["type", "name_or_index", "to_node"]) ||
    !Array.isArray(meta?.node_types?.[meta.node_fields.indexOf("type")]) ||
    !Array.isArray(meta?.edge_types?.[meta.edge_fields.indexOf("type")])
  ) {
    throw new BadSnapshot("the file does not say which fields its objects have");
  }
  const { node_count, edge_count } = header as Header;
  const good = (count: unknown) => Number.isInteger(count) && (count as number) >= 0 && (count as number) <= MOST;
  if (!good(node_count) || !good(edge_count)) throw new BadSnapshot("the file does not say how many objects it has");
  return header as Header;
}

const COLUMNS: Record<string, (rows: number) => Numbers> = {
  type: (rows) => new Uint8Array(rows),
  name: (rows) => new Uint32Array(rows),
  id: (rows) => new Uint32Array(rows),
  self_size: (rows) => new Float64Array(rows),
  edge_count: (rows) => new Uint32Array(rows),
  name_or_index: (rows) => new Uint32Array(rows),
  to_node: (rows) => new Uint32Array(rows),
};

const columnsOf = (fields: readonly string[], rows: number): Columns => ({
  into: fields.map((field) => COLUMNS[field]?.(rows) ?? null),
  rows,
  field: 0,
  row: 0,
});

const column = (columns: Columns, fields: readonly string[], name: string): Numbers =>
  columns.into[fields.indexOf(name)] as Numbers;
