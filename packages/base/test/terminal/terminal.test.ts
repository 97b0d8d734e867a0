import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { duration, printable, renderTable } from "../../src/terminal/terminal.ts";

describe("table", () => {
  it("pads columns to their widest cell, colours and wide scripts counted as they are seen", () => {
    const table = renderTable(
      [{ heading: "NAME" }, { heading: "N", align: "right" }],
      [
        ["\u001b[32mada\u001b[39m", "1"],
        ["雲野", "12"],
        ["x🦊", "3"],
      ],
    );
    assert.equal(table, ["NAME   N", "\u001b[32mada\u001b[39m    1", "雲野  12", "x🦊    3"].join("\n"));
  });

  it("lets no stored name steer the terminal", () => {
    assert.equal(printable("a\u001b[2Jb\u0000\u202e\n"), "a\\u{1b}[2Jb\\u{0}\\u{202e}\\u{a}");
    assert.equal(printable("👩🏽‍🚀 ok"), "👩🏽‍🚀 ok");
  });
});

describe("duration", () => {
  for (const [seconds, text] of [
    [0.4, "0 s"],
    [59, "59 s"],
    [61, "1 min 1 s"],
    [4330, "1 h 12 min"],
  ] as const) {
    it(`says ${seconds} s as ${text}`, () => {
      assert.equal(duration(seconds), text);
    });
  }
});
