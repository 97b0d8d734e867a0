// `npm run docs:demo`: runs the demo and draws what it printed as docs/pictures/demo.svg, a few acts a page.
import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { ansiLines } from "./terminal-picture/ansi-lines.ts";
import type { Span } from "./terminal-picture/ansi-lines.ts";
import { terminalSvg } from "./terminal-picture/terminal-svg.ts";

const COLUMNS = 104;
const MOST_LINES = 44;

const { stdout, status } = spawnSync(
  process.execPath,
  [...process.execArgv, fileURLToPath(new URL("../examples/demo/main.ts", import.meta.url)), "--fast"],
  {
    encoding: "utf8",
    env: { ...process.env, FORCE_COLOR: "1" },
    stdio: ["ignore", "pipe", "inherit"],
  },
);
if (status !== 0) throw new Error(`The demo ended with ${status}; no picture of that.`);

const acts: Span[][][] = [];
for (const line of ansiLines(stdout.trim(), COLUMNS)) {
  const begins = line.some(({ text, styles }) => styles.includes("cyan") && /^\d\. /.test(text));
  if (begins || acts.length === 0) acts.push([]);
  acts.at(-1)?.push([...line]);
}

const pages: Span[][][] = [];
for (const act of acts) {
  const page = pages.at(-1);
  if (page === undefined || page.length + act.length > MOST_LINES) pages.push(act);
  else for (const line of act) page.push(line);
}
const picture = terminalSvg({ title: "npm run demo", columns: COLUMNS, pages, secondsPerPage: 9 });
writeFileSync(new URL("../docs/pictures/demo.svg", import.meta.url), picture);
