/** `npm run fixture`: the console with canned answers, no server needed. The scenario is the user who logs in. */

import type { IncomingMessage, ServerResponse } from "node:http";
import type { Connect, Plugin } from "vite";

import type { NewJob, SamplingWish } from "../src/api/types";
import { type Answer, answer, newApp, SCENARIOS, type Scenario, sessionOf } from "./answers.ts";
import { streamLive } from "./live.ts";
import { samplingAt, saySampling, unsaySampling } from "./sampling.ts";
import { asked, cancelJob, processes, startJob } from "./tools.ts";

const ROOT = "/api/v1";
const SLOW_MS = 3000;

export function fixtureApi(): Plugin {
  return {
    name: "sonde-fixture-api",
    configureServer: (server) => listen(server.middlewares),
    configurePreviewServer: (server) => listen(server.middlewares),
  };
}

function listen(middlewares: Connect.Server): void {
  middlewares.use(ROOT, (request, response) => {
    void respond(request, response);
  });
}

async function respond(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const url = new URL(request.url ?? "/", "http://fixture");
  const scenario = loggedIn(request.headers.cookie);
  if (url.pathname === "/session") {
    await session(request, response, scenario);
    return;
  }
  if (!scenario) {
    send(response, { status: 401, body: { error: { code: "unauthenticated", message: "Log in first." } } });
    return;
  }
  if (url.pathname === "/live/stream" && scenario !== "broken") {
    streamLive(request, response, url.searchParams, scenario === "empty");
    return;
  }
  if (scenario === "slow") await new Promise((resolve) => setTimeout(resolve, SLOW_MS));
  if (url.pathname === "/apps" && request.method === "POST") {
    const { name } = (await bodyOf(request)) as { name: string };
    send(response, { status: 201, body: newApp(name, Date.now()) });
    return;
  }
  if (scenario !== "broken" && request.method === "POST") {
    const posted = await post(request, url.pathname, scenario);
    send(response, posted);
    return;
  }
  const sampling = scenario === "broken" ? undefined : samplingAt(url.pathname);
  if (sampling) {
    if (request.method === "DELETE") {
      unsaySampling(url.pathname);
      response.writeHead(204).end();
    } else if (request.method === "PUT") {
      const wish = (await bodyOf(request)) as SamplingWish;
      send(response, { status: 200, body: saySampling(url.pathname, sampling, wish, scenario, Date.now()) });
    } else send(response, { status: 200, body: sampling });
    return;
  }
  send(response, answer(scenario, url.pathname, url.searchParams, Date.now()));
}

async function post(request: IncomingMessage, path: string, scenario: Scenario): Promise<Answer> {
  const now = Date.now();
  if (path === "/jobs") return { status: 201, body: startJob((await bodyOf(request)) as NewJob, scenario, now) };
  const cancelled = cancelJob(path.match(/^\/jobs\/([^/]+)\/cancel$/)?.[1] ?? "", now);
  if (cancelled) return { status: 200, body: cancelled };
  if (path.startsWith("/nodejs/") || path === "/alarms/backtest")
    return answer(scenario, path, new URLSearchParams(), now);
  const pid = Number(path.match(/^\/processes\/.*\/(\d+)\/tools$/)?.[1]);
  return {
    status: 200,
    body: {
      items: processes(scenario, now)
        .filter((one) => one.pid === pid)
        .map(asked),
    },
  };
}

async function session(
  request: IncomingMessage,
  response: ServerResponse,
  scenario: Scenario | undefined,
): Promise<void> {
  if (request.method === "POST") {
    const { user } = (await bodyOf(request)) as { user: string };
    const chosen = SCENARIOS.find((candidate) => candidate === user);
    if (!chosen) {
      send(response, {
        status: 401,
        body: { error: { code: "wrong_credentials", message: "User or password is wrong." } },
      });
      return;
    }
    response.setHeader("Set-Cookie", `sonde_fixture=${chosen}; Path=/; HttpOnly; SameSite=Lax`);
    send(response, { status: 200, body: sessionOf(chosen) });
  } else if (request.method === "DELETE") {
    response.setHeader("Set-Cookie", "sonde_fixture=; Path=/; Max-Age=0");
    response.writeHead(204).end();
  } else if (scenario) send(response, { status: 200, body: sessionOf(scenario) });
  else send(response, { status: 401, body: { error: { code: "unauthenticated", message: "Log in first." } } });
}

const loggedIn = (cookies = ""): Scenario | undefined =>
  SCENARIOS.find((candidate) => cookies.split(/;\s*/).includes(`sonde_fixture=${candidate}`));

async function bodyOf(request: IncomingMessage): Promise<unknown> {
  let text = "";
  for await (const chunk of request) text += chunk;
  return JSON.parse(text);
}

function send(response: ServerResponse, { status, body }: Answer): void {
  response.writeHead(status, { "Content-Type": "application/json" }).end(JSON.stringify(body));
}
