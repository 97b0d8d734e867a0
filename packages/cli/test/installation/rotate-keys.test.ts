import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, afterEach, before, beforeEach, describe, it } from "node:test";
import type { Kms } from "@strongroom/kms";
import { CliError } from "../../src/errors.ts";
import { KEY_ALIASES, type KeyPurpose, readInstallationKeys } from "../../src/installation/installed-keys.ts";
import { ensureRegionKeys, type RegionClient } from "../../src/installation/region-keys.ts";
import { dropNextKeys, makeNextKeys, pointAliases, promoteNextKeys } from "../../src/installation/rotate-keys.ts";
import { temporaryFolder } from "../support/installation.ts";
import { kmsRegions } from "../support/kms-regions.ts";

const NAMES = ["eu-west-1", "eu-west-2"] as const;
const BOTH: readonly KeyPurpose[] = ["records", "keyStore"];

describe("the next keys of an installation", () => {
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  let kms: Kms;
  let regions: readonly RegionClient[];
  let run = 0;
  let path = "";

  before(async () => {
    folder = await temporaryFolder();
  });
  after(() => folder[Symbol.asyncDispose]());
  afterEach(() => kms.close());
  beforeEach(async () => {
    const dataDir = join(folder.path, String(++run));
    ({ kms, regions } = await kmsRegions(dataDir, NAMES));
    path = join(dataDir, "keys.json");
    for (const purpose of BOTH) await ensureRegionKeys(path, regions, { purpose });
  });

  async function aliased(purpose: KeyPurpose): Promise<Record<string, string | undefined>> {
    const found = regions.map(async ({ region, client }) => {
      const { KeyMetadata } = await client.describeKey({ KeyId: KEY_ALIASES[purpose] });
      return [region, KeyMetadata?.Arn] as const;
    });
    return Object.fromEntries(await Promise.all(found));
  }

  it("are made beside the present ones, and become them; the aliases follow", async () => {
    const first = await readInstallationKeys(path);
    const next = await makeNextKeys(path, regions, BOTH);
    assert.deepEqual(await readInstallationKeys(path), { ...first, next });
    assert.notDeepEqual(next.records, first.records);
    assert.deepEqual(await aliased("records"), first.records);
    const now = await promoteNextKeys(path, regions);
    assert.deepEqual(now, await readInstallationKeys(path));
    assert.deepEqual([now.records, now.keyStore, now.set, now.next], [next.records, next.keyStore, 2, null]);
    assert.deepEqual(
      now.left.map(({ keyArn }) => keyArn),
      BOTH.flatMap((purpose) => NAMES.map((name) => first[purpose][name])),
    );
    for (const purpose of BOTH) assert.deepEqual(await aliased(purpose), now[purpose]);
    assert.deepEqual(await promoteNextKeys(path, regions), now);
  });

  it("are those that an interrupted run made", async () => {
    const next = await makeNextKeys(path, regions, ["records"]);
    assert.deepEqual(await makeNextKeys(path, regions, ["records"]), next);
    // The file was not written before the process ended: the keys are found by what they say of themselves.
    const written = JSON.parse(await readFile(path, "utf8")) as Record<string, unknown>;
    await writeFile(path, JSON.stringify({ ...written, next: null }), { mode: 0o600 });
    assert.deepEqual(await makeNextKeys(path, regions, ["records"]), next);
    const client = regions[0]?.client ?? assert.fail();
    assert.equal((await client.listKeys({})).Keys?.length, 3);
  });

  it("of one purpose leave the other one's alone, which may follow before the first has ended", async () => {
    const first = await readInstallationKeys(path);
    const ofPeople = await makeNextKeys(path, regions, ["keyStore"]);
    assert.deepEqual(ofPeople.records, first.records);
    const both = await makeNextKeys(path, regions, ["records"]);
    assert.deepEqual(both.keyStore, ofPeople.keyStore);
    assert.notDeepEqual(both.records, first.records);
  });

  it("are made in every region or not remembered at all", async () => {
    const [one = assert.fail()] = regions;
    await assert.rejects(
      makeNextKeys(path, [one], BOTH),
      (error) => error instanceof CliError && error.code === "keys-not-ready" && error.problems.length === 1,
    );
    assert.equal((await readInstallationKeys(path)).next, null);
  });

  it("are given up, and are not taken up again by a later rotation", async () => {
    const first = await readInstallationKeys(path);
    const next = await makeNextKeys(path, regions, BOTH);
    const after = await dropNextKeys(path);
    assert.deepEqual([after.records, after.next, after.left.length], [first.records, null, 4]);
    const again = await makeNextKeys(path, regions, BOTH);
    for (const name of NAMES) assert.notEqual(again.records[name], next.records[name]);
  });

  it("are those of a shred where one is asked for, and never those of a rotation that has begun before", async () => {
    const shred = (): Promise<unknown> => makeNextKeys(path, regions, ["keyStore"], { isShred: true });
    await makeNextKeys(path, regions, BOTH);
    const begun = await readInstallationKeys(path);
    await assert.rejects(shred(), (error) => error instanceof CliError && error.code === "rotation-begun");
    assert.deepEqual(await readInstallationKeys(path), begun);
    await dropNextKeys(path);
    // The keys of records alone are of no generation.
    await makeNextKeys(path, regions, ["records"]);
    await shred();
    await shred();
    const { generation, nextGeneration } = await readInstallationKeys(path);
    assert.deepEqual([generation, nextGeneration], [1, 2]);
  });

  it("have their aliases again where somebody pointed one elsewhere", async () => {
    const { records, keyStore } = await readInstallationKeys(path);
    const { client } = regions[0] ?? assert.fail();
    await client.updateAlias({ AliasName: KEY_ALIASES.records, TargetKeyId: keyStore["eu-west-1"] ?? "" });
    assert.deepEqual(await pointAliases({ records, keyStore }, regions), []);
    assert.deepEqual(await aliased("records"), records);
  });
});
