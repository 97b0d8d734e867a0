import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Timeline } from "strongroom";
import { outagePicture } from "../outage-picture.ts";

const TIMELINE: Timeline = {
  format: 1,
  outages: [{ fault: "black-hole", regions: ["eu-west-1", "<b>"], began: 1000, lost: 2000, back: 3000, ended: 5000 }],
  calls: [
    { kind: "read", at: 1500, ms: 10, outcome: "ok", code: null },
    { kind: "read", at: 2500, ms: 100, outcome: "ok", code: null },
    { kind: "write", at: 2500, ms: 250, outcome: "refused", code: "wraps-below-minimum" },
    { kind: "write", at: 2600, ms: 1000, outcome: "failed", code: "deadline-exceeded" },
    { kind: "read", at: 100, ms: 5, outcome: "ok", code: null },
  ],
  debt: [
    { at: 1000, items: 0 },
    { at: 3000, items: 7 },
    { at: 5000, items: 0 },
  ],
};

describe("the picture of an outage", () => {
  const svg = outagePicture(TIMELINE);

  it("has a point for each call of the outages, in its place and colour", () => {
    const points = (style: string): number =>
      (new RegExp(`<path class="dot ${style}" d="([^"]*)"`).exec(svg)?.[1]?.match(/M/g) ?? []).length;
    assert.deepEqual(["read", "write", "refused", "failed"].map(points), [2, 0, 1, 1]);
    const [, first = "", second = ""] = /class="dot read" d="M[\d.]+ ([\d.]+)h0M[\d.]+ ([\d.]+)h0"/.exec(svg) ?? [];
    assert.ok(Number(second) < Number(first), "what took longer lies higher");
  });

  it("says how many of each there were, what was lost and how much was owed", () => {
    for (const words of [
      "2 reads",
      "0 writes",
      "1 refused writes",
      "1 errors",
      "eu-west-1 and &lt;b&gt; lost: black-hole",
      ">7<",
    ])
      assert.ok(svg.includes(words), words);
  });
});
