// The real agent in a child, as its own command line runs it: only there `shutdown` ends the process.
const path = require("node:path");
const { fork } = require("node:child_process");

if (process.argv[2] === "child") {
  process.on("disconnect", () => process.exit(1));
  require(path.join(process.env.CLIENT_FOLDER, "xtransit")).start(JSON.parse(process.env.AGENT_CONFIG));
} else {
  const child = fork(__filename, ["child"]);
  child.on("exit", (code) => process.exit(code ?? 1));
  process.on("SIGTERM", () => child.kill());
}
