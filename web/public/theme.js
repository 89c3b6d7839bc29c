// Sets colours and language before the first paint, so that a dark page never flashes white.
// A file of its own because the content security policy allows no inline script.
(() => {
  const stored = (key) => {
    try {
      return localStorage.getItem(key);
    } catch {
      return null; // storage can be forbidden; then the defaults hold
    }
  };
  const wanted = stored("sonde.theme");
  const dark = wanted === "dark" || (wanted !== "light" && !matchMedia("(prefers-color-scheme: light)").matches);
  document.documentElement.setAttribute("data-mantine-color-scheme", dark ? "dark" : "light");
  const language = stored("sonde.language") ?? navigator.language;
  document.documentElement.lang = language.startsWith("zh") ? "zh" : "en";
})();
