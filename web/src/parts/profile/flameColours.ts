/** The colour of a frame: its module's, strong for the app's own code, faint for libraries, grey for what the language brings and for C. */

import { mix, type Palette } from "../../theme/palette";
import { type CodeKind, type Frames, hashOf } from "./frames";
import { at, type Profile } from "./profile";

/** How much of the series colour is left when it is mixed with the ground, so that text can be read on it. */
const STRENGTH: Record<CodeKind, number> = { app: 0.56, library: 0.28, standard: 0.4, native: 0.26 };
const STEPS = 6;

/** For each frame the place of its colour in `flameColours`. The same name has the same place in each theme and run. */
export function colourPlaces({ module, kind }: Frames, hues: number): Uint8Array {
  return Uint8Array.from(module, (name, frame) => {
    switch (kind[frame] as CodeKind) {
      case "app":
        return hashOf(name) % hues;
      case "library":
        return hues + (hashOf(name) % hues);
      case "standard":
        return hues * 2;
      case "native":
        return hues * 2 + 1;
    }
  });
}

export function flameColours({ series, idle, surface }: Palette): string[] {
  return [
    ...series.map((hue) => mix(hue, surface, STRENGTH.app)),
    ...series.map((hue) => mix(hue, surface, STRENGTH.library)),
    mix(idle, surface, STRENGTH.standard),
    mix(idle, surface, STRENGTH.native),
  ];
}

/** From what shrank to what grew; the middle is what stayed. */
export function changeColours({ accent, error, idle, surface }: Palette): string[] {
  const to = (colour: string) => (step: number) => mix(colour, surface, 0.18 + (step / STEPS) * 0.52);
  const steps = Array.from({ length: STEPS }, (_, step) => step + 1);
  return [...steps.toReversed().map(to(accent)), mix(idle, surface, 0.18), ...steps.map(to(error))];
}

/** The place in `changeColours` of a weight that was this share of everything before, and is now. */
export function changePlace(before: number, now: number): number {
  const most = Math.max(before, now);
  if (most === 0) return STEPS;
  const change = (now - before) / most;
  return STEPS + Math.sign(change) * Math.min(STEPS, Math.round(Math.abs(change) * STEPS));
}

/** The heaviest modules, for a legend. */
export function heaviestModules(profile: Pick<Profile, "frames" | "frame" | "self">, most: number) {
  const weights = new Map<string, { module: string; kind: CodeKind; frame: number; weight: number }>();
  for (let node = 0; node < profile.frame.length; node++) {
    const frame = at(profile.frame, node);
    if (frame < 0) continue;
    const module = profile.frames.module[frame] as string;
    const kind = profile.frames.kind[frame] as CodeKind;
    const name = kind === "app" || kind === "library" ? module : kind;
    const found = weights.get(`${kind} ${name}`) ?? { module: name, kind, frame, weight: 0 };
    found.weight += at(profile.self, node);
    weights.set(`${kind} ${name}`, found);
  }
  return [...weights.values()].sort((a, b) => b.weight - a.weight).slice(0, most);
}
