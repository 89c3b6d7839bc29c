import { describe, expect, it } from "vitest";

import type { ConnectHint } from "../../api/types";
import { translate } from "../../i18n";
import type { Key } from "../../i18n/en";
import { sentenceOf } from "./Hints";

const en = (key: Key, values?: Record<string, string | number>) => translate("en", key, values);
const zh = (key: Key, values?: Record<string, string | number>) => translate("zh", key, values);

const hint = (reason: string, code: string, values: Record<string, string>): ConnectHint => ({
  protocol: "otlp_http",
  reason,
  subject: "10.0.0.5",
  text: "as the server says it",
  code,
  values,
  app: "",
  count: 1,
  first_seen: "2026-11-21T10:00:00Z",
  last_seen: "2026-11-21T10:00:00Z",
});

describe("a hint", () => {
  it("is said in the reader's language, with the server's details", () => {
    const refused = hint("bad_json", "refused", {
      who: "sdk/1.2",
      called: "/v1/traces",
      said: "the body is no JSON: at 5",
    });
    expect(sentenceOf(refused, en)).toBe("sdk/1.2 sent /v1/traces and was told: the body is no JSON: at 5");
    expect(sentenceOf(refused, zh)).toBe(
      "sdk/1.2 上报到 /v1/traces，服务器的回答：内容不是有效的 JSON（the body is no JSON: at 5）",
    );
  });

  it("names somebody who did not say who it is", () => {
    const nameless = hint("unauthenticated", "refused", { who: "", called: "/v1/logs", said: "no token" });
    expect(sentenceOf(nameless, zh)).toContain("没有 User-Agent 的上报方");
  });

  it("is said as the server says it where there is no other sentence", () => {
    expect(sentenceOf(hint("new", "", {}), zh)).toBe("as the server says it");
    expect(sentenceOf(hint("new", "of a later server", {}), zh)).toBe("as the server says it");
    expect(sentenceOf(hint("new", "sender", { who: "shop", said: "new words" }), zh)).toBe("shop：new words");
  });

  it("puts in what strangers sent as it is", () => {
    const hostile = hint("wrong_signature", "wrong_signature", { who: "{app_name} <b>", app_name: "{who}" });
    expect(sentenceOf(hostile, en)).toContain("{app_name} <b>");
  });
});
