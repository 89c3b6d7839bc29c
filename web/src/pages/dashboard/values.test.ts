import { describe, expect, it } from "vitest";
import type { Variable } from "../../api/dashboardsTypes";
import { valuesOf } from "./values";

const VARIABLES: Variable[] = [
  { name: "service", kind: "service", default: "" },
  { name: "host", kind: "host", default: "web-1" },
  { name: "note", kind: "text", default: "" },
];
const KNOWN = { service: ["front", "stock"], host: ["web-2"], text: [] };

describe("the values of a dashboard", () => {
  it("are those of the address, also one that somebody emptied", () => {
    expect(valuesOf(VARIABLES, ["service=a=b", "host=", "gone=x"], KNOWN)).toEqual({
      service: "a=b",
      host: "",
      note: "",
    });
  });

  it("are else the defaults, else the first that is known", () => {
    expect(valuesOf(VARIABLES, undefined, KNOWN)).toEqual({ service: "front", host: "web-1", note: "" });
  });
});
