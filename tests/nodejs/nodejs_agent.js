// The real agent inside of this process, with the configuration that the test gives.
const path = require("node:path");
require(path.join(process.env.CLIENT_FOLDER, "xtransit")).start(JSON.parse(process.env.AGENT_CONFIG));
