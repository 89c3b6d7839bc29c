/** speedscope's own release beside the console, under /speedscope: profiles open in it without leaving this server. */

import { cpSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, extname, join, normalize, sep } from "node:path";
import type { Plugin } from "vite";

const PACKAGE = dirname(createRequire(import.meta.url).resolve("speedscope/package.json"));
const RELEASE = join(PACKAGE, "dist", "release");
const FOLDER = "speedscope";
/** For people with a profile at hand on its own site; here nobody asks for it. */
const LEFT_OUT = /perf-vertx-stacks|release\.txt/;
const TYPES: Record<string, string> = {
  ".html": "text/html",
  ".js": "text/javascript",
  ".css": "text/css",
  ".json": "application/json",
  ".woff2": "font/woff2",
  ".wasm": "application/wasm",
  ".png": "image/png",
  ".ico": "image/x-icon",
};

export function speedscope(): Plugin {
  let outDir = "";
  return {
    name: "sonde-speedscope",
    configResolved: (config) => {
      outDir = config.build.outDir;
    },
    writeBundle: () => {
      const target = join(outDir, FOLDER);
      cpSync(RELEASE, target, { recursive: true, filter: (source) => !LEFT_OUT.test(source) });
      cpSync(join(PACKAGE, "LICENSE"), join(target, "LICENSE"));
    },
    configureServer: ({ middlewares }) => {
      middlewares.use(`/${FOLDER}`, (request, response, next) => {
        const path = normalize(new URL(request.url ?? "/", "http://here").pathname);
        const file = join(RELEASE, path === sep ? "index.html" : path);
        try {
          response.setHeader("Content-Type", TYPES[extname(file)] ?? "application/octet-stream");
          response.end(readFileSync(file));
        } catch {
          next(); // no such file: the console answers
        }
      });
    },
  };
}
