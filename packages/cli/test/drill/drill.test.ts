// Real drills against one real installation. It accepts writes with one wrap, so that a drill that asks for two has a
// promise to see broken.
import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import type { Timeline } from "../../src/drill/report.ts";
import type { DrillReport } from "../../src/drill/run-drill.ts";
import { controlHeader } from "../../src/drill/control-port.ts";
import { runCommand } from "../support/command.ts";
import {
  gather,
  type Installation,
  spawnCommand,
  startInstallation,
  temporaryFolder,
  until,
} from "../support/installation.ts";
import { runTranscript } from "../support/transcript.ts";

const REGIONS = ["eu-west-1", "eu-west-2", "eu-central-1"];
/** The deadline of every installation of these tests. */
const PATIENT = { STRONGROOM_DEADLINE_MS: "20000" };
const SHORT = ["drill", "--seconds", "1", "--rate", "20", "--seed", "1"];

describe("strongroom drill", { concurrency: false }, () => {
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  let installation: Installation;
  before(async () => {
    folder = await temporaryFolder();
    // Keys that are in memory would open records without any region.
    const env = { ...PATIENT, STRONGROOM_KEY_CACHE_AGE_MS: "1" };
    installation = await startInstallation(folder.path, ["--minimum", "1"], { env });
    await runCommand(["put", "people", "ada"], { cwd: folder.path, stdin: '{"a":1}' });
  });
  after(async () => {
    assert.equal(await installation.stop(), 0);
    await folder[Symbol.asyncDispose]();
  });

  interface Controlled {
    readonly region: string;
    readonly state: string;
    readonly faults: readonly unknown[];
  }
  const controlled = async (): Promise<readonly Controlled[]> => {
    const answer = await fetch(`${installation.ready.faultsEndpoint}/_strongroom/regions`, {
      headers: await controlHeader(installation.ready.faultsHeaderFile),
    });
    return ((await answer.json()) as { readonly regions: readonly Controlled[] }).regions;
  };
  const strike = async (region: string, fault: object): Promise<void> => {
    const answer = await fetch(`${installation.ready.faultsEndpoint}/_strongroom/regions/${region}/faults`, {
      method: "POST",
      headers: await controlHeader(installation.ready.faultsHeaderFile),
      body: JSON.stringify(fault),
    });
    assert.equal(answer.status, 201);
  };
  const isStopped = async (name: string): Promise<boolean> =>
    (await controlled()).some(({ region, state }) => region === name && state === "stopped");
  const drill = (args: readonly string[]): ReturnType<typeof runCommand> =>
    runCommand([...SHORT, ...args], { cwd: folder.path, env: PATIENT });

  /** Every region is there and honest, and nothing but the person's own record is stored. */
  async function nothingIsLeft(): Promise<void> {
    assert.deepEqual(
      (await controlled()).map(({ region, state, faults }) => [region, state, faults.length]),
      REGIONS.map((region) => [region, "running", 0]),
    );
    const { stdout } = await runCommand(["list", "--json"], { cwd: folder.path });
    const { collections } = JSON.parse(stdout) as { readonly collections: readonly { readonly records: number }[] };
    assert.deepEqual(
      collections.filter(({ records }) => records > 0),
      [{ collection: "people", records: 1 }],
    );
    assert.equal((await runCommand(["get", "people", "ada"], { cwd: folder.path })).stdout, '{"a":1}\n');
  }

  it("brings the regions back on Ctrl-C, and removes its records; a second drill meanwhile is refused", async () => {
    const child = spawnCommand(
      ["drill", "--seconds", "1", "--faults", "refused", "--regions", "eu-west-1"],
      folder.path,
      PATIENT,
    );
    const said = gather(child.stderr);
    await until(async () => (await isStopped("eu-west-1")) || child.exitCode !== null);
    const meanwhile = await drill([]);
    assert.deepEqual([meanwhile.code, /\[[a-z-]+\]/.exec(meanwhile.stderr)?.[0]], [2, "[drill-running]"]);
    child.kill("SIGINT");
    const [code] = (await once(child, "close")) as [number | null];
    assert.equal(code, 130, said());
    assert.match(said(), /The regions are back, and the drill's records are removed\.\nstrongroom: Interrupted/);
    await nothingIsLeft();
  });

  it("brings back what was left away, keeps every promise, and leaves nothing", async () => {
    await installation.region("eu-west-1", "stop");
    // Not throttled: a service that has met that keeps its rate down for longer than a drill waits.
    await strike("eu-west-2", { kind: "delay", delayMs: 1 });

    const { code, stdout, stderr } = await drill([
      "--faults",
      "refused",
      "--regions",
      "eu-west-1",
      "--minimum",
      "2",
      "--timeline",
      "timeline.json",
    ]);
    assert.equal(code, 0, stdout + stderr);
    assert.match(stderr, /eu-west-1 was still away \(stopped\)/);
    assert.match(stderr, /eu-west-2 was still away \(delay\)/);
    assert.match(stdout, /^FAULT +REGION +PHASE/);
    assert.match(stdout, /^refused +eu-west-1 +healthy .*\n +lost .*\n +back /m);
    assert.equal((stdout.match(/^kept /gm) ?? []).length, 8);
    assert.match(
      stdout,
      /read back and from each of 3 regions alone\. 20 requests a second; --seed 1 repeats the drill\.\n$/,
    );

    const { outages, calls, debt } = JSON.parse(await readFile(join(folder.path, "timeline.json"), "utf8")) as Timeline;
    assert.deepEqual(
      outages.map(({ fault, regions }) => [fault, regions]),
      [["refused", ["eu-west-1"]]],
    );
    for (const { began, lost, back, ended } of outages) assert.ok(began < lost && lost < back && back <= ended);
    assert.ok(calls.some(({ kind }) => kind === "read") && calls.some(({ kind }) => kind === "write"));
    assert.ok(debt.some(({ items }) => items > 0));
    assert.equal(debt.at(-1)?.items, 0);
    await nothingIsLeft();
  });

  it("exits 1 and names the promise that was broken: with two regions lost, this installation stores records with one wrap", async () => {
    const { code, stdout, stderr } = await drill([
      "--faults",
      "refused",
      "--regions",
      "eu-west-1",
      "--lost",
      "2",
      "--minimum",
      "2",
      "--json",
    ]);
    assert.equal(code, 1, stderr);
    const { error } = JSON.parse(stderr) as {
      readonly error: { readonly code: string; readonly exit: number; readonly problems: readonly string[] };
    };
    assert.deepEqual([error.code, error.exit], ["promise-broken", 1]);
    assert.deepEqual(
      error.problems.map((problem) => problem.split(":")[0]),
      ["minimum-held"],
    );
    const report = JSON.parse(stdout) as DrillReport;
    assert.equal(report.kept, false);
    assert.deepEqual(
      report.outages.map(({ regions }) => regions),
      [["eu-west-1", "eu-west-2"]],
    );
    assert.deepEqual(
      report.outages.map(({ phases }) => phases.lost.failedReads),
      [0],
    );
    assert.deepEqual(
      report.promises.filter(({ outcome }) => outcome === "broken").map(({ promise }) => promise),
      ["minimum-held"],
    );
    await nothingIsLeft();
  });

  it("touches no record of anyone else: a collection with others is refused, and so are wrong flags", async () => {
    await mkdir(join(folder.path, "elsewhere"));
    const text = await readFile(fileURLToPath(new URL("refusals.txt", import.meta.url)), "utf8");
    assert.ok((await runTranscript(text, folder.path)) > 5);
    await nothingIsLeft();
  });
});

describe("strongroom drill, where faults are not allowed,", () => {
  it("refuses, and says how to allow them", async () => {
    await using folder = await temporaryFolder();
    const { code, stderr } = await runCommand(["drill"], { cwd: folder.path });
    assert.equal(code, 2);
    assert.match(stderr, /\[faults-not-allowed\]\n {2}No installation runs in .*\n {2}.*strongroom up --allow-faults/);
    const child = spawnCommand(
      ["up", "--json", "--port", "0", "--region", "eu-west-1=0", "--region", "eu-west-2=0"],
      folder.path,
    );
    const ready = gather(child.stdout);
    await until(() => ready().includes("\n") || child.exitCode !== null);
    const refused = await runCommand(["drill"], { cwd: folder.path });
    child.kill("SIGINT");
    await once(child, "exit");
    assert.equal(refused.code, 2);
    assert.match(
      refused.stderr,
      /\[faults-not-allowed\]\n {2}The installation in .* was started without --allow-faults\.\n/,
    );
  });
});
