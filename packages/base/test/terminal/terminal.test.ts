import assert from "node:assert/strict";
import { PassThrough } from "node:stream";
import { describe, it } from "node:test";
import { stripVTControlCharacters } from "node:util";
import { printReport } from "../../src/command/run.ts";
import { createTerminal, duration, printable, printableJson, renderTable } from "../../src/terminal/terminal.ts";

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

  it("has any number of rows", () => {
    const rows = Array.from({ length: 200_000 }, (_, index) => [String(index)]);
    assert.equal(renderTable([{ heading: "N" }], rows).split("\n").length, rows.length + 1);
  });

  it("lets no stored name steer the terminal", () => {
    assert.equal(printable("a\u001b[2Jb\u0000\u202e\n"), "a\\u{1b}[2Jb\\u{0}\\u{202e}\\u{a}");
    assert.equal(printable("👩🏽‍🚀 ok"), "👩🏽‍🚀 ok");
    assert.equal(printable("abcdef\ud800", 3), "abc… (7 characters)");
    assert.equal(printable("\ud800\u2028"), "\\u{d800}\\u{2028}");
  });

  it("shows what is not seen, and keeps the signs that choose the form of what stands before them", () => {
    const hidden: Readonly<Record<string, string>> = {
      "ada\ufe0f": "ada\\u{fe0f}",
      "1\ufe0f": "1\\u{fe0f}",
      "\u{e0100}ada": "\\u{e0100}ada",
      "葛\u{e0100}\u{e0101}": "葛\u{e0100}\\u{e0101}",
      "☀\ufe0f\ufe0f": "☀\ufe0f\\u{fe0f}",
      "a\u180b": "a\\u{180b}",
      "e\u0301\u200d": "e\u0301\\u{200d}",
    };
    for (const [text, shown] of Object.entries(hidden)) assert.equal(printable(text), shown);
    for (const kept of ["☀\ufe0f", "☀\ufe0e", "1\ufe0f\u20e3", "葛\u{e0100}城", "ᠠ\u180b", "🏳️‍🌈", "❤️‍🔥", "क्‍ष"])
      assert.equal(printable(kept), kept);
  });

  it("lets no data steer it in JSON, which reads back as the same", () => {
    const data = { "a\u202e": "\u001b[2J\u0085\u2028\u007f\u{e0041}", b: ["\n"] };
    assert.match(printableJson(data), /^[\x20-\x7e]+$/);
    assert.deepEqual(JSON.parse(printableJson(data)), data);
  });

  it("lets no report of an error steer it, whoever wrote it, and bounds each part", () => {
    const evil = `a\nb\u001b[2J\u202e${"x".repeat(20_000)}`;
    const report = {
      code: evil,
      title: evil,
      detail: evil,
      problems: [evil],
      remedy: evil,
      outcome: "failure",
    } as const;
    for (const mode of ["human", "json"] as const) {
      const stderr = new PassThrough() as unknown as NodeJS.WriteStream;
      printReport("strongroom", report, createTerminal({ stdin: process.stdin, stdout: stderr, stderr }, mode));
      const written = stripVTControlCharacters(String(stderr.read()));
      assert.doesNotMatch(written, /[\u0000-\u0009\u000b-\u001f\u202e]/);
      assert.doesNotMatch(written, /^b/m);
      assert.ok(mode === "json" || written.length < 60_000);
    }
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
