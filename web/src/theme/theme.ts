/** Mantine in our colours, type and density. */

import { type CSSVariablesResolver, createTheme, type MantineColorsTuple, useComputedColorScheme } from "@mantine/core";

import { DARK, LIGHT, type Palette, variablesOf } from "./palette";

const blue: MantineColorsTuple = [
  "#eaf2ff",
  "#d3e3fb",
  "#a6c6f5",
  "#77aefc",
  "#5592ea",
  "#3f81e2",
  "#2d73d6",
  "#1f63c6",
  "#1757b3",
  "#0c4a9f",
];
/** Index 0 is text, 4 borders, 6 inputs, 7 the page, 8 what lies below. */
const dark: MantineColorsTuple = [
  DARK.text,
  "#b7c1cd",
  DARK.muted,
  DARK.faint,
  "#36424f",
  DARK.hover,
  DARK.raised,
  DARK.page,
  "#0b0f13",
  "#080b0f",
];

export const theme = createTheme({
  primaryColor: "blue",
  primaryShade: { light: 7, dark: 6 },
  colors: { blue, dark },
  fontFamily:
    '"Inter Sonde", "Noto Sans CJK SC", "Noto Sans SC", "PingFang SC", "Microsoft YaHei", system-ui, sans-serif',
  fontFamilyMonospace: '"JetBrains Mono Sonde", "Noto Sans Mono CJK SC", ui-monospace, "DejaVu Sans Mono", monospace',
  fontSizes: { xs: "0.75rem", sm: "0.8125rem", md: "0.875rem", lg: "1rem", xl: "1.25rem" },
  headings: { fontWeight: "600" },
  defaultRadius: "sm",
  cursorType: "pointer",
  focusRing: "auto",
});

const mantineOf = (palette: Palette) => ({
  ...variablesOf(palette),
  "--mantine-color-body": palette.page,
  "--mantine-color-text": palette.text,
  "--mantine-color-dimmed": palette.muted,
  "--mantine-color-placeholder": palette.faint,
});

export const cssVariables: CSSVariablesResolver = () => ({
  variables: {},
  light: mantineOf(LIGHT),
  dark: mantineOf(DARK),
});

/** For canvases, which read no CSS. */
export function usePalette(): Palette {
  return useComputedColorScheme("dark") === "dark" ? DARK : LIGHT;
}
