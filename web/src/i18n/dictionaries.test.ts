import { describe, expect, it } from "vitest";

import { en, type Key } from "./en";
import { translate } from "./index";
import { zh } from "./zh";

const valuesIn = (text: string) => [...new Set([...text.matchAll(/\{(\w+)/g)].map(([, name]) => name))].sort();

describe("the dictionaries", () => {
  it("use the same values for each key", () => {
    for (const key of Object.keys(en) as Key[])
      expect({ [key]: valuesIn(zh[key]) }).toEqual({ [key]: valuesIn(en[key]) });
  });

  it("choose the word that goes with the number", () => {
    expect(translate("en", "service.instances", { count: 1 })).toBe("1 instance");
    expect(translate("en", "service.instances", { count: 2 })).toBe("2 instances");
    expect(translate("zh", "service.instances", { count: 1 })).toBe("1 个实例");
  });

  it("put in values as they are", () => {
    expect(translate("en", "overview.noMatch", { words: "<b>$&</b>" })).toBe("Nothing matches “<b>$&</b>”");
  });
});
