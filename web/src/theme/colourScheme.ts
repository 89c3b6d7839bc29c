/** Where Mantine keeps the chosen colours: with the rest of what we remember, so that theme.js finds it before the first paint. */

import type { MantineColorScheme, MantineColorSchemeManager } from "@mantine/core";

import { remember, remembered } from "../domain/remembered";

export const colourSchemeManager: MantineColorSchemeManager = {
  get: (fallback) => {
    const scheme = remembered("theme");
    return scheme === "dark" || scheme === "light" || scheme === "auto" ? scheme : fallback;
  },
  set: (scheme: MantineColorScheme) => remember("theme", scheme),
  subscribe: () => {},
  unsubscribe: () => {},
  clear: () => remember("theme", "auto"),
};
