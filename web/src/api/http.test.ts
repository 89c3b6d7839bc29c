import { afterEach, describe, expect, it, vi } from "vitest";

import { addressOf, api } from "./endpoints";
import { ApiError, request, setCsrfToken } from "./http";

const answers = (status: number, body: string) =>
  vi.stubGlobal(
    "fetch",
    vi.fn(async () => new Response(status === 204 ? null : body, { status })),
  );

const asked = () => {
  const [url, options] = vi.mocked(fetch).mock.calls[0] as [string, RequestInit];
  return { url, headers: options.headers as Record<string, string>, method: options.method };
};

afterEach(() => vi.unstubAllGlobals());

describe("a request", () => {
  it("carries the CSRF token when it writes, and not when it reads", async () => {
    answers(200, "{}");
    setCsrfToken("secret");
    await api.createApp("shop");
    expect(asked().headers["X-CSRF-Token"]).toBe("secret");
    answers(200, "{}");
    await api.session();
    expect(asked().headers["X-CSRF-Token"]).toBeUndefined();
  });

  it("fails with the server's own code and message", async () => {
    answers(404, '{"error": {"code": "not_found", "message": "no such service"}}');
    await expect(request("/x")).rejects.toMatchObject({ status: 404, code: "not_found", message: "no such service" });
  });

  it("fails understandably when a proxy answers in its own way", async () => {
    answers(502, "<html>Bad Gateway</html>");
    await expect(request("/x")).rejects.toMatchObject({ status: 502, code: "unexpected" });
  });

  it("fails with status 0 when there is no server", async () => {
    vi.stubGlobal("fetch", () => Promise.reject(new TypeError("connection refused")));
    await expect(request("/x")).rejects.toBeInstanceOf(ApiError);
    await expect(request("/x")).rejects.toMatchObject({ status: 0, code: "unreachable" });
  });

  it("takes an answer without a body", async () => {
    answers(204, "");
    await expect(api.logOut()).resolves.toBeUndefined();
  });
});

describe("an address of the API", () => {
  it("leaves out parameters that are not set", () => {
    expect(addressOf("/traces", { service: "a&b", endpoint: undefined, min_ms: 0, cursor: "" })).toBe(
      "/api/v1/traces?service=a%26b&min_ms=0",
    );
  });

  it("survives names with slashes and question marks", async () => {
    answers(200, "{}");
    await api.service("10.0.0.1:80/a?b", undefined, { from: 1, to: 2 });
    expect(asked().url).toBe("/api/v1/services/10.0.0.1%3A80%2Fa%3Fb?from=1&to=2");
  });

  it("follows the cursor of a list to its end", async () => {
    const pages = ['{"items": [{"service": "a"}], "next": "2"}', '{"items": [{"service": "b"}], "next": null}'];
    vi.stubGlobal(
      "fetch",
      vi.fn(async () => new Response(pages.shift())),
    );
    const services = await api.services({ from: 1, to: 2 });
    expect(services.map(({ service }) => service)).toEqual(["a", "b"]);
    expect(vi.mocked(fetch).mock.calls[1]?.[0]).toContain("cursor=2");
  });
});
