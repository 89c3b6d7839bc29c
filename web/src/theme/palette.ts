/**
 * The colours, once for CSS and once for what is drawn on a canvas.
 *
 * ok, warn and error stay apart for people who see red and green alike: a blue green, an amber and a vermilion of
 * different lightness, and never without a shape beside them. The series colours leave red to errors.
 */

export interface Palette {
  page: string;
  surface: string;
  raised: string;
  hover: string;
  line: string;
  grid: string;
  text: string;
  muted: string;
  faint: string;
  accent: string;
  accentSoft: string;
  ok: string;
  warn: string;
  error: string;
  errorSoft: string;
  warnSoft: string;
  idle: string;
  match: string;
  p50: string;
  p95: string;
  p99: string;
  /** For services in a trace, in order of appearance. */
  series: readonly string[];
}

export const DARK: Palette = {
  page: "#0e1217",
  surface: "#141a21",
  raised: "#1a212a",
  hover: "#1c2530",
  line: "#26303b",
  grid: "#1f2832",
  text: "#dbe2ea",
  muted: "#93a0af",
  faint: "#818d9c",
  accent: "#77aefc",
  accentSoft: "#1b2a40",
  ok: "#35b89d",
  warn: "#e2a93b",
  error: "#f4755b",
  errorSoft: "#3a211d",
  warnSoft: "#35290f",
  idle: "#66717f",
  match: "#5d4a16",
  p50: "#4f8fd9",
  p95: "#9fc6ff",
  p99: "#c9a2f0",
  series: [
    "#5f9df0",
    "#35b89d",
    "#b98ce6",
    "#d9b04a",
    "#57b6dc",
    "#e08aae",
    "#97b85a",
    "#8f93ea",
    "#cf9468",
    "#7ba5a5",
  ],
};

export const LIGHT: Palette = {
  page: "#f5f7f9",
  surface: "#ffffff",
  raised: "#ffffff",
  hover: "#f0f4f8",
  line: "#dde3ea",
  grid: "#edf0f4",
  text: "#17202b",
  muted: "#566373",
  faint: "#647080",
  accent: "#1f63c6",
  accentSoft: "#e4eefb",
  ok: "#08806b",
  warn: "#9a6400",
  error: "#c43a1c",
  errorSoft: "#fbe9e4",
  warnSoft: "#fbf1dc",
  idle: "#8a95a3",
  match: "#ffe9a8",
  p50: "#1f63c6",
  p95: "#6a9de3",
  p99: "#8d5fc4",
  series: [
    "#3b7ddd",
    "#12937b",
    "#9061c8",
    "#b98a14",
    "#2b93bd",
    "#c25c87",
    "#6f922c",
    "#6368cf",
    "#b26c3a",
    "#5a8a8a",
  ],
};

export function variablesOf(palette: Palette): Record<string, string> {
  const { series, ...named } = palette;
  const variables: Record<string, string> = {};
  for (const [name, colour] of Object.entries(named)) {
    variables[`--s-${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`] = colour;
  }
  series.forEach((colour, index) => {
    variables[`--s-series-${index}`] = colour;
  });
  return variables;
}

/** The colour of each name, by its place in the list. */
export function coloursByName(names: readonly string[], palette: Palette): Map<string, string> {
  return new Map(names.map((name, index) => [name, palette.series[index % palette.series.length] as string]));
}

/** A named colour, or one of the series by its place. */
export function colourOf(colour: Exclude<keyof Palette, "series"> | number, palette: Palette): string {
  return typeof colour === "number" ? (palette.series[colour % palette.series.length] as string) : palette[colour];
}

/** `colour` as far as `strength` (0…1), the rest `ground`. Both as #rrggbb. */
export function mix(colour: string, ground: string, strength: number): string {
  const part = (from: string, place: number) => Number.parseInt(from.slice(place, place + 2), 16);
  const channel = (place: number) =>
    Math.round(part(colour, place) * strength + part(ground, place) * (1 - strength))
      .toString(16)
      .padStart(2, "0");
  return `#${channel(1)}${channel(3)}${channel(5)}`;
}
