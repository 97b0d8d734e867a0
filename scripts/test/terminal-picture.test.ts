import assert from "node:assert/strict";
import { test } from "node:test";
import { styleText } from "node:util";
import { ansiLines } from "../terminal-picture/ansi-lines.ts";
import { terminalSvg } from "../terminal-picture/terminal-svg.ts";

const styled = (format: Parameters<typeof styleText>[0], text: string): string =>
  styleText(format, text, { validateStream: false });

test("styles begin and end where the terminal's do", () => {
  const output = `a ${styled(["bold", "green"], "done")} b\r\n${styled("red", "x")}\x1b[2K`;
  assert.deepEqual(ansiLines(output, 80), [
    [
      { text: "a ", styles: [] },
      { text: "done", styles: ["bold", "green"] },
      { text: " b", styles: [] },
    ],
    [{ text: "x", styles: ["red"] }],
  ]);
});

test("a long line goes on in the next, in its style, and no character is cut in two", () => {
  assert.deepEqual(ansiLines(styled("dim", "ab🦊d"), 3), [
    [{ text: "ab🦊", styles: ["dim"] }],
    [{ text: "d", styles: ["dim"] }],
  ]);
});

test("the picture holds every page, and text cannot become markup", () => {
  const svg = terminalSvg({
    title: "a & b",
    columns: 10,
    secondsPerPage: 5,
    pages: [[[{ text: "<put>", styles: [] }]], [[{ text: "two", styles: ["bold"] }], []]],
  });
  assert.match(svg, /<title>a &amp; b<\/title>/);
  assert.match(svg, /&lt;put&gt;/);
  assert.equal(svg.match(/class="page"/g)?.length, 2);
  assert.match(svg, /animation: turn 10s/);
});
