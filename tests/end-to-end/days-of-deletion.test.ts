// The days until a retired key is deleted, gone through with a clock that is put forward for everybody at once: command
// and service run in this process, whose date is this test's, and the KMS has a clock that can be put forward. How AWS
// keeps its days no test can show; that nothing is missed when a key is gone it can.
import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import type { TestContext } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { controlHeader } from "../../packages/cli/src/drill/control-port.ts";
import { DAY_MS } from "../../packages/cli/src/installation/material-age.ts";
import { runCommand } from "../../packages/cli/test/support/command.ts";
import { type Ended, PATIENT, temporaryFolder } from "../../packages/cli/test/support/installation.ts";
import { freePort } from "../support/postgres/ports.ts";

const REGIONS = ["eu-west-1", "eu-west-2"];

/** Puts the date of this process forward. */
function adjustableDate(t: TestContext): (days: number) => void {
  const Real = globalThis.Date;
  let ahead = 0;
  globalThis.Date = new Proxy(Real, {
    construct: (target, args: unknown[], newTarget) =>
      Reflect.construct(target, args.length === 0 ? [Real.now() + ahead] : args, newTarget) as Date,
    get: (target, name, receiver) =>
      name === "now" ? () => Real.now() + ahead : (Reflect.get(target, name, receiver) as unknown),
  });
  t.after(() => {
    globalThis.Date = Real;
  });
  return (days) => {
    ahead += days * DAY_MS;
  };
}

test("a retired key is deleted in days, until the last of which it comes back, and nobody misses it", async (t) => {
  const setDate = adjustableDate(t);
  const folder = await temporaryFolder();
  const cwd = folder.path;
  const inKms = join(cwd, "strongroom-data", "kms");
  const control = await freePort();
  const advance = async (days: number): Promise<void> => {
    setDate(days);
    const headers = { ...(await controlHeader(join(inKms, "control.header"))), "content-type": "application/json" };
    const body = JSON.stringify({ advanceDays: days });
    const answer = await fetch(`http://127.0.0.1:${control}/_strongroom/clock`, { method: "POST", headers, body });
    assert.equal(answer.status, 200, await answer.text());
  };
  const ends = new AbortController();
  const ports = ["--port", "0", ...REGIONS.flatMap((region) => ["--region", `${region}=0`])];
  const faults = ["--allow-faults", "--faults-port", String(control)];
  const up = runCommand(["up", ...ports, ...faults], { cwd, signal: ends.signal, env: PATIENT });
  t.after(async () => {
    ends.abort();
    await up;
    await folder[Symbol.asyncDispose]();
  });
  const run = (line: string, stdin = ""): Promise<Ended> => runCommand(line.split(" "), { cwd, stdin });
  const done = async (line: string, stdin = ""): Promise<string> => {
    const { code, stdout, stderr } = await run(line, stdin);
    assert.equal(code, 0, `${line}: ${stdout}${stderr}`);
    return stdout;
  };
  while ((await run("put people ada", '{"a":1}')).code !== 0) await delay(200);

  const { lines } = JSON.parse(await done("keys inventory --json")) as {
    readonly lines: readonly { readonly key: string; readonly region: string | null }[];
  };
  const key = lines.find(({ region }) => region === REGIONS[0])?.key ?? "";
  await done("keys rotate --yes --rate 1000");
  // The root of the account: the operator of this folder may make and disable keys, and not delete them.
  const root = `--credentials ${join(inKms, "credentials.json")}`;
  const retire = async (): Promise<void> => {
    assert.match(await done(`keys retire ${key} --wait 0 --yes --report retired.note`), /^It is retired\./m);
  };
  const schedule = `keys retire ${key} --schedule-deletion --report retired.note --days 7 --yes ${root}`;

  await retire();
  const tooSoon = await run(schedule);
  assert.match(tooSoon.stderr, /It was disabled 0\.0 days ago; 7 are needed/);
  await advance(7);
  assert.match(await done(schedule), new RegExp(`${key} will be gone at ${isoDay(7)}`));

  // Somebody misses it on the last day.
  await advance(6.9);
  assert.match(await done(`keys retire ${key} --undo --yes ${root}`), /is enabled\.$/m);
  assert.match((await run(schedule)).stderr, /its KMS says that the key is Enabled/i);

  await retire();
  await advance(7);
  await done(schedule);
  await advance(7.01);
  const gone = await run(`keys retire ${key} --undo --yes ${root}`);
  assert.match(gone.stderr, /NotFoundException/);
  assert.equal(await done("get people ada"), '{"a":1}\n');
  await done("put people ada", '{"a":2}');
  assert.match(await done("verify --regions each"), /as it was written/);
});

const isoDay = (days: number): string => new Date(Date.now() + days * DAY_MS).toISOString().slice(0, 10);
