import type { HeapObject } from "./messages";

/** Texts in quotation marks, others by their name or what they are. */
export function named({ name, constructor_name }: Pick<HeapObject, "name" | "constructor_name">): string {
  if (/string\)$/.test(constructor_name)) return JSON.stringify(name);
  if (constructor_name === "(function)") return `${name}()`;
  return name || constructor_name;
}
