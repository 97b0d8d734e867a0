// A rotation through the commands, over a real `strongroom up`: planned, held, undone, done, and nothing is left.
import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import type { ConvergencePlan, InventoryLine } from "@strongroom/client";
import { dataFolder } from "../../../src/data-folder.ts";
import { regionClients } from "../../../src/installation/local-kms.ts";
import { makeNextKeys } from "../../../src/installation/rotate-keys.ts";
import { runCommand } from "../../support/command.ts";
import { type Ended, type Installation, startInstallation, temporaryFolder } from "../../support/installation.ts";

const PEOPLE = 12;

describe("a rotation", () => {
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  let installation: Installation;
  before(async () => {
    folder = await temporaryFolder();
    installation = await startInstallation(folder.path);
  });
  after(async () => {
    assert.equal(await installation.stop(), 0);
    await folder[Symbol.asyncDispose]();
  });

  const run = (line: string, stdin = ""): Promise<Ended> => runCommand(line.split(" "), { cwd: folder.path, stdin });
  const inventory = async (): Promise<readonly InventoryLine[]> => {
    const { stdout } = await run("keys inventory --json");
    const { lines } = JSON.parse(stdout) as { readonly lines: readonly InventoryLine[] };
    // The others are keys of the vault itself.
    return lines.filter(({ provider }) => provider === "aws-kms");
  };

  it("has nothing to do at first", async () => {
    for (let id = 0; id < PEOPLE; id++) assert.equal((await run(`put people p${id}`, '{"name":"Ada"}')).code, 0);
    const { code, stdout } = await run("keys plan --exit-code");
    assert.equal(code, 0, stdout);
    assert.match(stdout, /Everything that is stored is as declared/);
    assert.match((await run("keys status")).stdout, /^There was no run yet/);
    const applied = await run("keys apply --yes");
    assert.deepEqual([applied.code, applied.stderr], [0, ""]);
  });

  it("is refused in the vault's own words where a shred wants another principal's word", async () => {
    await writeFile(join(folder.path, "four-eyes.json"), JSON.stringify({ keys: { fourEyes: true } }));
    for (const command of ["rotate --shred", "shred"]) {
      const { code, stderr } = await run(`keys ${command} --yes --config four-eyes.json --json`);
      assert.match(stderr, /"code":"approval-missing"/);
      assert.equal(code, 6);
    }
  });

  it("is planned when there are new keys, with the calls that it takes", async () => {
    const { keys, kmsOperatorCredentials } = dataFolder(join(folder.path, "strongroom-data"));
    const place = {
      endpoints: installation.ready.regions,
      sockets: installation.ready.regionSockets,
      tlsFingerprint: null,
    };
    const operator = await regionClients(Object.keys(place.endpoints), place, kmsOperatorCredentials);
    await makeNextKeys(keys, operator, ["records", "keyStore"]);
    let plan: Ended;
    do {
      await delay(200);
      plan = await run("keys plan --exit-code --json");
    } while (plan.code === 0);
    const { stores, forecast } = JSON.parse(plan.stdout) as ConvergencePlan;
    assert.equal(plan.code, 1, plan.stderr);
    assert.ok(stores.some(({ flips }) => flips));
    assert.ok(forecast.total > 0);
    const { stdout } = await run("keys plan");
    assert.match(
      stdout,
      /~ \d+ keys: new wraps are added, then old ones go\n(?: {6}\+ \S+ +key\/\S+\n){3}(?: {6}- .*\n){3}/,
    );
    assert.match(stdout, /12 versions: under keys of the vault itself: keys of people\n/);
  });

  it("becomes no shred once it has begun, and says what is in the way", async () => {
    const { code, stderr } = await run("keys shred --yes");
    assert.equal(code, 4, stderr);
    assert.match(stderr, /rotation-begun/);
  });

  it("holds where old wraps are kept, is undone, and is done when it is begun anew", async () => {
    const left = new Set((await inventory()).map(({ key }) => key));
    const held = await run("keys apply --yes --keep-old");
    assert.equal(held.code, 0, held.stdout + held.stderr);
    assert.match(held.stdout, /Holds: /);
    assert.match((await run("keys status")).stdout, /UNDO +possible/);
    const undone = await run("keys undo --reason wrong --yes");
    assert.equal(undone.code, 0, undone.stderr);
    while (!/ undone$/m.test((await run("keys status")).stdout)) await delay(200);
    assert.deepEqual(new Set((await inventory()).map(({ key }) => key)), left);

    const applied = await run("keys apply --yes --rate 1000 --json");
    assert.equal(applied.code, 0, applied.stdout + applied.stderr);
    const events = applied.stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as { readonly event: string });
    assert.deepEqual([events[0]?.event, events.at(-1)?.event], ["plan", "end"]);
    const now = await inventory();
    assert.ok(now.length > 0);
    for (const { key, isInForce } of now) assert.ok(isInForce && !left.has(key), key);
    assert.equal((await run("keys plan --exit-code")).code, 0);
    assert.match((await run("keys failures")).stdout, /^No item fails/);
    for (let id = 0; id < PEOPLE; id++) assert.equal((await run(`get people p${id}`)).code, 0);
  });

  it("lets go of no key that is in force, and says so before it says what is to be done", async () => {
    const [{ key } = assert.fail()] = await inventory();
    const { code, stderr } = await run(`keys retire ${key} --wait 0`);
    assert.equal(code, 4, stderr);
    assert.match(stderr, /key-in-force/);
    assert.doesNotMatch(stderr, /is to be denied|--yes/);
  });

  it("into the next generation is a shred, which holds, and is ended by what comes after", async () => {
    const shredded = await run("keys shred --yes --rate 1000");
    assert.equal(shredded.code, 0, shredded.stdout + shredded.stderr);
    assert.match(shredded.stdout, /Holds: /);
    assert.match(shredded.stderr, /Each, once nothing is under it/);
    const ended = await run("keys apply --yes --rate 1000");
    assert.equal(ended.code, 0, ended.stdout + ended.stderr);
    assert.equal((await run("get people p0")).code, 0);
  });
});
