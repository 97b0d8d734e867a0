import assert from "node:assert/strict";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { PassThrough, Readable } from "node:stream";
import { describe, it } from "node:test";
import { stripVTControlCharacters } from "node:util";
import { createTerminal, type Terminal } from "@strongroom/base/terminal";
import stringWidth from "string-width";
import { dataFolder } from "../../src/data-folder.ts";
import { drillTables } from "../../src/drill/report.ts";
import type { DrillReport } from "../../src/drill/run-drill.ts";
import { welcomePage } from "../../src/installation/up-page.ts";
import { PROGRAM } from "../../src/program.ts";
import { runCommand } from "../support/command.ts";
import { answering, answerOf, ROUTES } from "../support/hostile-service.ts";
import { temporaryFolder } from "../support/installation.ts";

const WIDTHS = [60, 80, 120];
const commands = PROGRAM.tables.flatMap((table) => table.commands.map(({ name, examples }) => ({ name, examples })));

/** The lines that a screen of so many columns would break, but for those of one word, which nothing can. */
function tooWide(output: string, columns: number): readonly string[] {
  return stripVTControlCharacters(output)
    .split("\n")
    .filter((line) => stringWidth(line) > columns && / \S+ \S/.test(line.trim()) && !isUnbreakable(line, columns));
}

/** A command whose one quoted argument is wider than the screen cannot be broken and still be pasted. */
function isUnbreakable(line: string, columns: number): boolean {
  return line.split(/ (?=(?:[^'"]*['"][^'"]*['"])*[^'"]*$)/).some((word) => stringWidth(word) > columns - 12);
}

function terminalOf(columns: number): Terminal {
  const stream = Object.assign(new PassThrough().resume(), { isTTY: true, columns }) as unknown as NodeJS.WriteStream;
  return createTerminal({ stdin: Readable.from([]), stdout: stream, stderr: stream }, "human");
}

describe("help", () => {
  for (const columns of WIDTHS)
    for (const { name, examples } of [{ name: "", examples: [] }, { name: "completion", examples: [] }, ...commands])
      it(`of ${name === "" ? "the program" : name} fits ${columns} columns, and its examples can be pasted`, async () => {
        const { stdout } = await runCommand([...name.split(" "), "--help"].filter(Boolean), { cwd: "/", columns });
        assert.deepEqual(tooWide(stdout, columns), []);
        const pasted = stripVTControlCharacters(stdout).replace(/ \\\n +/g, " ");
        for (const { line } of examples) assert.ok(pasted.includes(line), line);
      });
});

describe("what commands print", () => {
  const TEXT = "eu-central-1";
  const calls = [
    ["list"],
    ["list", "people"],
    ["history", "people", "x"],
    ["regions"],
    ["regions", "debt"],
    ["jobs"],
    ["keys", "plan"],
    ["keys", "status"],
    ["keys", "inventory"],
    ["keys", "failures"],
    ["store", "status"],
    ["store", "migrate", "--dry-run"],
    ["store", "flip"],
    ["doctor"],
    ["token", "list"],
    ["put", "people", "ada@example.org"],
    ["get", "people", "x", "--version", "0"],
    ["rm", "people", "x", "--json"],
    ["list", "--url", "http://vault.example.com"],
    ["up", "--port", "99999", "--minimum", "99"],
    ["kms", "health", "URL"],
  ];
  for (const columns of WIDTHS)
    for (const args of calls)
      it(`fits ${columns} columns: ${args.join(" ")}`, async () => {
        await using folder = await temporaryFolder();
        await mkdir(join(folder.path, "strongroom-data"), { mode: 0o700 });
        const token = { id: "4f0c2a91b7de", name: "billing", scopes: ["read"], hash: "0".repeat(64), createdAt: TEXT };
        const tokens = JSON.stringify({ version: 1, tokens: [token] });
        await writeFile(join(folder.path, "strongroom-data", "tokens.json"), tokens, { mode: 0o600 });
        await using service = await answering((route, response) => {
          const form = ROUTES.find(([pattern]) => pattern.test(route))?.[1] ?? "HealthAnswer";
          response.writeHead(200, { "content-type": "application/json" });
          response.end(JSON.stringify(answerOf(form, TEXT)));
        });
        const env = { STRONGROOM_TOKEN: "t", ...(!args.includes("--url") && { STRONGROOM_URL: service.url }) };
        const words = args.map((word) => (word === "URL" ? service.url : word));
        const { stdout, stderr } = await runCommand(words, { cwd: folder.path, env, columns, stdin: "{}" });
        for (const text of [stdout, stderr]) assert.deepEqual(tooWide(text, columns), []);
      });

  for (const columns of WIDTHS)
    it(`fits ${columns} columns: the page of up, and the tables of a drill`, () => {
      const terminal = terminalOf(columns);
      const page = welcomePage(terminal, {
        url: "http://127.0.0.1:8200",
        endpoints: { "eu-west-1": "http://127.0.0.1:8201", "eu-central-1": "http://127.0.0.1:8203" },
        faultsEndpoint: "http://127.0.0.1:8209",
        folder: dataFolder("/srv/strongroom"),
        store: "PostgreSQL, strongroom@db.example:5432/records",
        cwd: join(import.meta.dirname, "../../../.."),
        policy: { minimum: 2, target: 3 },
        made: ["eu-west-1", "eu-central-1"],
      });
      assert.deepEqual(tooWide(page, columns), []);
      assert.match(
        page.replace(/ \\\n +/g, " "),
        /npx strongroom import people examples\/demo\/people\.ndjson --id id --data-dir/,
      );
      const latency = { p50: 12.3, p99: 1234.5 };
      const figures = { reads: 1000, failedReads: 0, readMs: latency, writes: 200, refusedWrites: 1, failedWrites: 0 };
      const phase = { ...figures, writeMs: latency, slowestMs: 2000 };
      const outage = {
        fault: "connection-refused",
        regions: ["eu-central-1", "eu-west-1"],
        phases: { healthy: phase, lost: phase, back: phase },
        failoverMs: 1000,
        noticedMs: null,
        debt: { most: 1000, paidMs: null },
      };
      const promise = {
        promise: "reads",
        words: "Reads go on while one region can be reached. ".repeat(3),
        problems: ["x ".repeat(60)],
      };
      const report = {
        settings: { rate: 100, seed: 1 },
        readBack: { versions: 1000 },
        alone: [{}, {}],
        outages: [outage],
        promises: [{ ...promise, outcome: "broken" }],
      } as unknown as DrillReport;
      const tables = drillTables(report, terminal);
      assert.deepEqual(tooWide(tables, columns), []);
      assert.match(tables, /connection-refused/);
    });
});
