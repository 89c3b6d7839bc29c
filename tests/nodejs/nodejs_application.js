// A small service with the addon: an HTTP server that is called again and again, fails now and then, and a worker thread.
const path = require("node:path");
const folder = process.env.CLIENT_FOLDER;
require(path.join(folder, "xprofiler")).start({ log_dir: process.env.LOG_FOLDER, enable_http_profiling: true });
const http = require("node:http");
const fs = require("node:fs");
const { Worker, isMainThread } = require("node:worker_threads");

if (isMainThread) {
  const kept = [];
  const server = http.createServer((request, response) => {
    kept.push({ url: request.url, at: Date.now() });
    if (kept.length > 5000) kept.length = 0;
    response.statusCode = request.url === "/missing" ? 404 : 200;
    response.end("done");
    if (request.url === "/bad") {
      const error = new TypeError("demo failure");
      fs.appendFileSync(process.env.ERROR_FILE, `${new Date().toISOString().slice(0, 19).replace("T", " ")} ${error.stack}\n\n`);
    }
  });
  server.listen(0, "127.0.0.1", () => {
    const port = server.address().port;
    let count = 0;
    setInterval(() => {
      count += 1;
      const url = count % 20 === 0 ? "/bad" : count % 7 === 0 ? "/missing" : "/ok";
      http.get({ port, path: url, agent: false }, (response) => response.resume()).on("error", () => {});
    }, 50);
    new Worker(__filename, { env: process.env });
    console.log(`ready ${process.pid}`);
  });
} else {
  setInterval(() => JSON.stringify(Array.from({ length: 100 }, (_, index) => index)), 100);
}
