import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { describe, it } from "node:test";
import fc from "fast-check";
import stringWidth from "string-width";
import { commandLines, renderTable, wrapped } from "../../src/terminal/layout.ts";

describe("prose", () => {
  it("breaks between words, hangs, and loses nothing", () => {
    assert.equal(wrapped("  one two three", 9, 4), "  one two\n    three");
    assert.equal(wrapped("one two", Infinity), "one two");
    assert.equal(wrapped("a-word-that-is-long b", 5, 2), "a-word-that-is-long\n  b");
    assert.equal(wrapped("雲野 雲野", 5), "雲野\n雲野");
    fc.assert(
      fc.property(
        fc.array(fc.stringMatching(/^[a-z]{1,9}$/), { minLength: 1 }),
        fc.integer({ min: 12, max: 40 }),
        (words, width) => {
          const text = words.join(" ");
          const lines = wrapped(text, width, 2).split("\n");
          assert.ok(lines.every((line) => stringWidth(line) <= width));
          assert.equal(lines.map((line) => line.trim()).join(" "), text);
        },
      ),
    );
  });
});

describe("a command line", () => {
  it("is broken where a shell takes it for one, and never inside of quotes", () => {
    const line = `printf '%s|' one 'two  three' "four \\" five" six\\ seven eight=nine ten`;
    const expected = execFileSync("sh", ["-c", line], { encoding: "utf8" });
    for (let width = 12; width < 90; width++) {
      const broken = commandLines(line, width, "  ");
      assert.equal(execFileSync("sh", ["-c", broken], { encoding: "utf8" }), expected, broken);
    }
    assert.equal(commandLines(line, Infinity, "  "), `  ${line}`);
  });
});

describe("a table", () => {
  const columns = [{ heading: "NAME" }, { heading: "N", align: "right" as const }, { heading: "WHY" }];
  const rows = [
    ["ada", "1", "the first reason of all"],
    ["grace", "22", ""],
  ];

  it("stays one where it fits, and is told row by row where it does not", () => {
    assert.equal(renderTable(columns, rows, 80).split("\n").length, 3);
    assert.equal(
      renderTable(columns, rows, 20),
      ["NAME  ada", "N     1", "WHY   the first", "      reason of all", "", "NAME  grace", "N     22"].join("\n"),
    );
    for (let width = 16; width < 60; width++)
      assert.ok(
        renderTable(columns, rows, width)
          .split("\n")
          .every((line) => stringWidth(line) <= width),
      );
    assert.equal(renderTable(columns, [], 3), "");
  });

  it("has a line for each row, whatever a cell holds", () => {
    assert.equal(renderTable(columns, [["a\nb", "1", ""]]).split("\n").length, 2);
  });
});
