/** The functions of a profile: what they are called, where they stand, and whose code they are. */

/** Qualified name, file, first line; a C function has no file and line 0. */
export type FrameRow = readonly [name: string, file: string, line: number];

/** `app` is the code of whoever runs the process, `library` what was installed, `standard` what Python or Node brings. */
export type CodeKind = "app" | "library" | "standard" | "native";

export interface Frames {
  name: readonly string[];
  file: readonly string[];
  line: Int32Array;
  /** What a colour stands for: a module of the app, an installed package, a module of Python or Node. */
  module: readonly string[];
  kind: readonly CodeKind[];
  /** Of name and file: the same in another run, also after lines have moved. */
  hash: Uint32Array;
}

export function framesOf(rows: readonly FrameRow[]): Frames {
  const wheres = rows.map(([name, file]) => whereOf(name, file));
  return {
    name: rows.map(([name]) => name),
    file: rows.map(([, file]) => file),
    line: Int32Array.from(rows, ([, , line]) => line),
    module: wheres.map(({ module }) => module),
    kind: wheres.map(({ kind }) => kind),
    hash: Uint32Array.from(rows, ([name, file]) => hashOf(`${name}\n${file}`)),
  };
}

const INSTALLED = /[/\\](?:site|dist)-packages[/\\]([^/\\]+)/;
const OF_PYTHON = /[/\\]lib[/\\]python3\.\d+t?[/\\](?!site-packages|dist-packages)([^/\\]+)/i;
const OF_PROBE = /[/\\]sonde[/\\]probe[/\\]/;
/** The innermost package: `node_modules/a/node_modules/@b/c/index.js` is of `@b/c`. */
const INSTALLED_BY_NPM = /^.*[/\\]node_modules[/\\]((?:@[^/\\]+[/\\])?[^/\\]+)/;
const JAVASCRIPT = /\.(?:[cm]?[jt]sx?|vue)$/;

function whereOf(name: string, file: string): { module: string; kind: CodeKind } {
  const installed = file.match(INSTALLED)?.[1];
  if (installed) return { module: installed.replace(/\.(py|so).*$|\..*\.so$/, ""), kind: "library" };
  // its own frames, also where it runs from a checkout
  if (OF_PROBE.test(file)) return { module: "sonde", kind: "library" };
  const ofPython = file.match(OF_PYTHON)?.[1];
  if (ofPython) return { module: ofPython.replace(/\.py$/, ""), kind: "standard" };
  const frozen = file.match(/^<frozen ([\w.]+)>$/)?.[1];
  if (frozen) return { module: frozen.split(".")[0] as string, kind: "standard" };
  if (file.startsWith("node:")) return { module: file, kind: "standard" };
  const byNpm = file.match(INSTALLED_BY_NPM)?.[1];
  if (byNpm) return { module: byNpm.replace("\\", "/"), kind: "library" };
  if (!/\.py[cw]?$/.test(file) && !JAVASCRIPT.test(file)) return { module: nativeModule(name, file), kind: "native" };
  const parts = file.split(/[/\\]/);
  const stem = (parts.at(-1) as string).replace(/\.\w+$/, "");
  const folder = parts.at(-2);
  return { module: folder && /^[A-Za-z_]\w*$/.test(folder) ? `${folder}.${stem}` : stem, kind: "app" };
}

function nativeModule(name: string, file: string): string {
  const library = file.split(/[/\\]/).at(-1);
  if (library) return library;
  const dot = name.indexOf(".");
  return dot > 0 ? name.slice(0, dot) : "builtins";
}

/** FNV-1a of 32 bits. */
export function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < text.length; index++) hash = mixed(hash, text.charCodeAt(index));
  return hash;
}

export const mixed = (hash: number, value: number) => Math.imul(hash ^ value, 0x01000193) >>> 0;

/** `shop.py:12`, with no line for what has none. */
export function placeOf(file: string, line: number): string {
  if (!file) return "";
  return line > 0 ? `${file}:${line}` : file;
}

const TAIL_PARTS = 3;

/** The end of a long path, which tells most: what follows site-packages or node_modules, or the last folders. */
export function shortPlaceOf(file: string, line: number): string {
  const installed = file.match(/[/\\](?:(?:site|dist)-packages|node_modules)[/\\](.+)$/)?.[1];
  if (installed) return placeOf(installed, line);
  const parts = file.split(/[/\\]/);
  return placeOf(parts.length > TAIL_PARTS + 1 ? `…/${parts.slice(-TAIL_PARTS).join("/")}` : file, line);
}

/** Frames that have every word in their name or file; null when nothing is asked. */
export function matching(frames: Frames, words: string): Uint8Array | null {
  const wanted = words.toLowerCase().split(/\s+/).filter(Boolean);
  if (wanted.length === 0) return null;
  const found = new Uint8Array(frames.name.length);
  for (let frame = 0; frame < found.length; frame++) {
    const text = `${frames.name[frame]}\n${frames.file[frame]}`.toLowerCase();
    if (wanted.every((word) => text.includes(word))) found[frame] = 1;
  }
  return found;
}
