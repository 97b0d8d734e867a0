import assert from "node:assert/strict";
import { PassThrough, Readable } from "node:stream";
import { describe, it } from "node:test";
import { stripVTControlCharacters } from "node:util";
import { createTerminal, type OutputMode } from "@strongroom/base/terminal";
import { ClientError, type RegionReport, type RegionsReport } from "@strongroom/client";
import { changeLines, watchRegions } from "../../src/commands/regions-view.ts";
import { CliError } from "../../src/errors.ts";
import { runCommand } from "../support/command.ts";
import {
  gather,
  runProcess,
  spawnCommand,
  startInstallation,
  temporaryFolder,
  until,
} from "../support/installation.ts";

const region = (name: string, more: Partial<RegionReport> = {}): RegionReport => ({
  region: name,
  state: "up",
  latencyMs: { p50: 5, p95: 9 },
  calls: 10,
  failures: 0,
  failuresByKind: {},
  lastFailure: null,
  lastSuccessAt: null,
  extraCalls: 0,
  callsByPurpose: {},
  breaker: { state: "closed", quarantined: false, restMs: null },
  overtaken: 0,
  callsPerSecond: null,
  alarm: null,
  ...more,
});

const LOST: Partial<RegionReport> = {
  state: "down",
  failures: 3,
  failuresByKind: { refused: 3 },
  breaker: { state: "open", quarantined: false, restMs: 100 },
};

const SINCE = "2026-03-04T05:06:07.890Z";

function answer(regions: readonly RegionReport[], owed = 0): RegionsReport {
  const wrapDebt = {
    items: owed,
    oldest: owed === 0 ? null : SINCE,
    oldestSeconds: owed === 0 ? null : 61,
    regions: owed === 0 ? [] : [{ region: "b", items: owed, oldest: SINCE }],
    at: SINCE,
    capped: false,
  };
  const counts = { repaired: 0, settled: 0, overtaken: 0, failed: 0 };
  const repair = { state: "resting", ...counts, lastRepairAt: null, lastFailure: null } as const;
  return { minimum: 2, regions, totals: null, wrapDebt, repair };
}

describe("what changed between two looks", () => {
  it("is everything at first, then regions and debts alone, and nothing for calls and latencies", () => {
    const first = answer([region("a"), region("b")]);
    assert.equal(changeLines(null, first).length, 3);
    assert.deepEqual(
      changeLines(first, answer([region("a", { calls: 999, latencyMs: { p50: 1, p95: 2 } }), region("b")])),
      [],
    );
    assert.deepEqual(changeLines(first, answer([region("a"), region("b", LOST)], 7)), [
      "b down, breaker open, failures refused 3, p50 5.0 ms, p95 9.0 ms",
      "Wraps owed: 7 in b",
    ]);
    assert.deepEqual(changeLines(answer([region("a")], 7), answer([region("a")])), ["No wrap is owed"]);
  });
});

/** Runs a watch over answers, one a look, and gives what it wrote. */
async function watched(
  mode: OutputMode,
  screen: "terminal" | "pipe",
  looks: readonly (RegionsReport | Error)[],
  columns = 160,
): Promise<string> {
  const ending = new AbortController();
  const stdout = Object.assign(new PassThrough(), { isTTY: screen === "terminal", columns });
  const written = gather(stdout);
  const stream = stdout as unknown as NodeJS.WriteStream;
  const terminal = createTerminal({ stdin: Readable.from([]), stdout: stream, stderr: stream }, mode);
  const left = [...looks];
  const look = async (): Promise<RegionsReport> => {
    const next = left.shift();
    if (left.length === 0) ending.abort();
    if (next instanceof Error || next === undefined) throw next ?? new Error("looked too often");
    return next;
  };
  await watchRegions(terminal, look, ending.signal, 1);
  return written();
}

describe("strongroom regions --watch", () => {
  const unreachable = new ClientError("unreachable", { detail: "nothing listens there." });
  const looks = [
    answer([region("a"), region("b")]),
    answer([region("a"), region("b")]),
    answer([region("a"), region("b", LOST)], 7),
    unreachable,
    unreachable,
    answer([region("a"), region("b")]),
  ];

  it("writes one line for each change where there is no terminal, and waits for a service that is away", async () => {
    const lines = (await watched("human", "pipe", looks)).trimEnd().split("\n");
    for (const line of lines) assert.match(line, /^\d{4}-\d\d-\d\dT\S+Z \S/);
    assert.deepEqual(
      lines.map((line) => line.split(" ")[1]),
      ["a", "b", "No", "b", "Wraps", "The", "a", "b", "No"],
    );
  });

  it("writes the whole answer as one line of JSON for each change", async () => {
    const lines = (await watched("json", "pipe", looks)).trimEnd().split("\n");
    assert.deepEqual(
      lines.map((line) => (JSON.parse(line) as RegionsReport).wrapDebt.items),
      [0, 7, 0],
    );
  });

  it("draws the table again in its place on a terminal", async () => {
    const drawn = await watched("human", "terminal", looks.slice(0, 3));
    const frames = drawn.split("\u001b[J").slice(1);
    assert.equal(frames.length, 3);
    for (const [index, frame] of frames.entries())
      assert.match(
        stripVTControlCharacters(frame),
        index === 2 ? /b +down +open[^]*refused 3[^]*7 in b, the oldest for 1 min 1 s/ : /No wrap is owed/,
      );
    // Up by as many lines as the frame before has.
    const rows = frames[0]?.split("\n").length ?? 0;
    assert.ok(drawn.includes(`\u001b[${rows - 1}A`));
    assert.equal(
      await watched("human", "terminal", looks.slice(0, 3), 0).then((text) => text.includes(`\u001b[${rows - 1}A`)),
      true,
      "a terminal that does not know its width",
    );
    const [, narrow = "0"] = /\u001b\[(\d+)A/.exec(await watched("human", "terminal", looks.slice(0, 3), 20)) ?? [];
    assert.ok(Number(narrow) > rows, "a narrow terminal breaks lines");
  });

  it("ends with an error that waiting does not heal", async () => {
    await assert.rejects(
      watched("human", "pipe", [new CliError("token-missing"), answer([])]),
      (error) => error instanceof CliError && error.code === "token-missing",
    );
  });
});

describe("a region that is lost and comes back", () => {
  it("is seen by regions, regions debt and regions --watch, and what it owes is paid", async () => {
    await using folder = await temporaryFolder();
    const installation = await startInstallation(folder.path);
    const run = (...args: readonly string[]): ReturnType<typeof runCommand> => runCommand(args, { cwd: folder.path });
    const watch = spawnCommand(["regions", "--watch"], folder.path);
    const seen = gather(watch.stdout);
    try {
      await until(() => seen().includes("No wrap is owed"));
      // With the first person the vault's own keys are made.
      assert.equal((await runCommand(["put", "people", "bob"], { cwd: folder.path, stdin: "{}" })).code, 0);
      await installation.region("eu-west-2", "stop");
      for (const id of ["ada", "grace"])
        assert.equal((await runCommand(["put", "people", id], { cwd: folder.path, stdin: "{}" })).code, 0);
      const { stdout } = await run("regions", "debt");
      assert.match(
        stdout,
        /^WHAT +ID +VERSION +MISSING IN +SINCE +TRIES +LAST PROBLEM\nkey: subject +[0-9a-f-]{36} +[0-9a-f-]{36} +eu-west-2 \(refused\) +\S+Z +\d/,
      );
      const { items } = JSON.parse((await run("regions", "debt", "--all", "--json")).stdout) as {
        items: { id: string }[];
      };
      // Of two people who are new, by the ids that the key store has for them.
      assert.equal(new Set(items.map(({ id }) => id)).size, 2);
      assert.ok(!stdout.includes("ada") && !stdout.includes("grace"));
      const page = await run("regions", "debt", "--limit", "1");
      const [, cursor = ""] = /--cursor (\S+)/.exec(page.stderr) ?? [];
      assert.match(
        (await run("regions", "debt", "--cursor", cursor)).stdout,
        new RegExp(`\\nkey: subject +${items[1]?.id} `),
      );
      // As the repair sees it, at its next look.
      await until(async () => /eu-west-2 +down[^]*Wraps owed: 2 in eu-west-2/.test((await run("regions")).stdout));
      await until(() => seen().includes("eu-west-2 down") && seen().includes("Wraps owed: 2 in eu-west-2"));
      await installation.region("eu-west-2", "start");
      await until(async () => (await run("regions", "debt")).stdout === "No wrap is owed.\n");
      await until(() => /Wraps owed[^]*eu-west-2 up[^]*No wrap is owed/.test(seen()));
      watch.kill("SIGINT");
      await until(() => watch.exitCode !== null);
      assert.equal(watch.exitCode, 0);
      assert.equal(
        (await runProcess(["regions", "--watch"], folder.path, { env: { STRONGROOM_TOKEN: "srt_wrong" } })).code,
        6,
      );
    } finally {
      watch.kill("SIGKILL");
      assert.equal(await installation.stop(), 0);
    }
  });
});
