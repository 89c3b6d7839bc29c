import { describe, expect, it } from "vitest";

import type { ConnectPorts } from "../../api/types";
import { en } from "../../i18n/en";
import { filled, GROUPS, missingPort, NOBODY, RECIPES } from "./recipes";

const PORTS: ConnectPorts = {
  host: "127.0.0.1",
  otlp_http: 4318,
  otlp_grpc: 4317,
  skywalking_grpc: 11800,
  skywalking_http: 12800,
  xtransit: 9190,
  tokenless_skywalking: "",
};

describe("recipes", () => {
  it("have words for every title and step", () => {
    const keys = RECIPES.flatMap(({ id, steps }) => [
      `connect.recipe.${id}`,
      ...steps.map(({ say }) => `connect.say.${say}`),
    ]).concat(GROUPS.map((group) => `connect.group.${group}`));
    expect(keys.filter((key) => !(key in en))).toEqual([]);
  });

  it("leave no placeholder behind", () => {
    for (const { steps } of RECIPES)
      for (const { text } of steps)
        expect(filled(text, "https://sonde.example:8600", PORTS, NOBODY)).not.toMatch(/\{[a-z_]+\}|undefined|null/);
  });

  it("name the reader's own address, port and keys", () => {
    const grpc = RECIPES.find(({ id }) => id === "otel-grpc");
    const text = filled(grpc?.steps[0]?.text ?? "", "http://10.0.0.7:8600", PORTS, { ...NOBODY, token: "t0ken" });
    expect(text).toContain("http://10.0.0.7:4317");
    expect(text).toContain("Bearer%20t0ken");
  });

  it("say which port the server lacks", () => {
    const xtransit = RECIPES.find(({ id }) => id === "xtransit");
    const python = RECIPES.find(({ id }) => id === "python");
    if (!xtransit || !python) throw new Error("recipes are gone");
    expect(missingPort(xtransit, PORTS)).toBeNull();
    expect(missingPort(xtransit, { ...PORTS, xtransit: null })).toBe("xtransit");
    expect(missingPort(python, { ...PORTS, xtransit: null })).toBeNull();
  });
});
