/** What to type into a terminal. */

/** Starts a program with the probe inside. */
export const runCommand = (server: string, token = "APP_TOKEN") =>
  `sonde run --server ${server} --token ${token} \\\n    --service my-service -- python app.py`;

/** Starts the agent of a host. */
export const agentCommand = (server: string, token = "APP_TOKEN") => `sonde agent --server ${server} --token ${token}`;
