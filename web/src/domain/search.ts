/** Reads the parts of an address. Typed values come from links, text comes from the address bar: both are taken. */

export const readText = (value: unknown): string | undefined =>
  typeof value === "string" && value !== "" ? value : typeof value === "number" ? String(value) : undefined;

/** What may be given several times; nothing given is none. */
export function readTexts(value: unknown): string[] | undefined {
  const texts = (Array.isArray(value) ? value : [value]).map(readText).filter((text) => text !== undefined);
  return texts.length > 0 ? texts : undefined;
}

export function readNumber(value: unknown): number | undefined {
  if (typeof value === "number") return Number.isFinite(value) ? value : undefined;
  if (typeof value !== "string" || value.trim() === "") return undefined;
  const number = Number(value);
  return Number.isFinite(number) ? number : undefined;
}

export const readFlag = (value: unknown): true | undefined => (value === true || value === "true" ? true : undefined);

export function readOneOf<T extends string>(value: unknown, allowed: readonly T[]): T | undefined {
  return allowed.find((one) => one === value);
}

/** The whole address, as the router wants it: every value a text, nothing quoted. What is given several times is a list. */
export function parseSearch(text: string): Record<string, string | string[]> {
  const query = new URLSearchParams(text);
  return Object.fromEntries(
    [...new Set(query.keys())].map((name) => {
      const values = query.getAll(name);
      return [name, values.length > 1 ? values : (values[0] as string)];
    }),
  );
}

export function writeSearch(search: Record<string, unknown>): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(search)) {
    for (const one of Array.isArray(value) ? value : [value]) {
      if (one !== undefined && one !== null && one !== "") query.append(name, String(one));
    }
  }
  const text = query.toString();
  return text ? `?${text}` : "";
}
