const LONGEST_NAME = 24;

/** A name that fits. Its front carries the most meaning, its end tells twins apart: both are kept. */
export function shortened(name: string, most = LONGEST_NAME): string {
  const letters = [...name];
  if (letters.length <= most) return name;
  const tail = Math.floor((most - 1) / 3);
  return `${letters.slice(0, most - 1 - tail).join("")}…${letters.slice(letters.length - tail).join("")}`;
}
