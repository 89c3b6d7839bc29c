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
  DARK.line,
  DARK.hover,
  DARK.raised,
  DARK.page,
  "#0b0f13",
  "#080b0f",
];

export const theme = createTheme({
  primaryColor: "blue",
  primaryShade: { light: 7, dark: 4 },
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

export const cssVariables: CSSVariablesResolver = () => ({
  variables: {},
  light: { ...variablesOf(LIGHT), "--mantine-color-body": LIGHT.page, "--mantine-color-text": LIGHT.text },
  dark: { ...variablesOf(DARK), "--mantine-color-body": DARK.page, "--mantine-color-text": DARK.text },
});

/** For canvases, which read no CSS. */
export function usePalette(): Palette {
  return useComputedColorScheme("dark") === "dark" ? DARK : LIGHT;
}
