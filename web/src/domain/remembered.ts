/** What this browser remembers of its user: theme, language, where the nodes of the map stand. Storage can be forbidden; then nothing is remembered. */

type Name = "theme" | "language" | "mapSpots";

export function remembered(name: Name): string | null {
  try {
    return localStorage.getItem(`sonde.${name}`);
  } catch {
    return null;
  }
}

export function remember(name: Name, value: string): void {
  try {
    localStorage.setItem(`sonde.${name}`, value);
  } catch {
    // the choice holds until the page is left
  }
}
