import react from "@vitejs/plugin-react";
import { defineConfig } from "vitest/config";
import { speedscope } from "./bundle/speedscope.ts";
import { fixtureApi } from "./dev/plugin.ts";

const SERVER = process.env.SONDE_SERVER ?? "http://127.0.0.1:8600";

/** `vite --mode fixture` answers the API from canned data, every other mode asks a running server. */
export default defineConfig(({ mode }) => ({
  plugins: [react(), speedscope(), ...(mode === "fixture" ? [fixtureApi()] : [])],
  build: {
    outDir: "../src/sonde/server/console",
    emptyOutDir: true,
    assetsInlineLimit: 0, // the content security policy allows files of our own, no data: addresses
    chunkSizeWarningLimit: 700,
  },
  server: {
    host: "127.0.0.1",
    proxy: mode === "fixture" ? undefined : { "/api": { target: SERVER, changeOrigin: true } },
  },
  test: {
    include: ["src/**/*.test.{ts,tsx}", "dev/**/*.test.ts"],
    testTimeout: 60_000, // on a machine that has other things to do
  },
}));
