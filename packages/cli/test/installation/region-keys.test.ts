import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, afterEach, before, beforeEach, describe, it } from "node:test";
import type { KMS } from "@aws-sdk/client-kms";
import type { Kms } from "@strongroom/kms";
import { CliError } from "../../src/errors.ts";
import { KEY_ALIASES, NO_KEYS, readInstallationKeys, readRegionKeys } from "../../src/installation/installed-keys.ts";
import { ensureRegionKeys, type RegionClient } from "../../src/installation/region-keys.ts";
import { temporaryFolder } from "../support/installation.ts";
import { kmsRegions } from "../support/kms-regions.ts";

const NAMES = ["eu-west-1", "eu-west-2"] as const;

describe("keys of the regions", () => {
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
  });

  async function keysOf(client: KMS): Promise<string[]> {
    return ((await client.listKeys({})).Keys ?? []).flatMap(({ KeyArn }) => KeyArn ?? []);
  }

  it("are made once, with their alias, and remembered", async () => {
    const first = await ensureRegionKeys(path, regions);
    assert.deepEqual([...first.made].sort(), [...NAMES]);
    assert.deepEqual(await readRegionKeys(path), first.keys);
    for (const { region, client } of regions) {
      assert.equal((await client.describeKey({ KeyId: KEY_ALIASES.records })).KeyMetadata?.Arn, first.keys[region]);
      assert.equal((await keysOf(client)).length, 1);
    }
    assert.deepEqual(await ensureRegionKeys(path, regions), { keys: first.keys, made: [], missing: {} });
  });

  it("are taken up where a start was interrupted between the key and its alias", async () => {
    const { client } = regions[0] ?? assert.fail();
    // What an interrupted start leaves: the key of a whole run whose alias is not there yet.
    const whole = await ensureRegionKeys(path, regions);
    await client.deleteAlias({ AliasName: KEY_ALIASES.records });
    const again = await ensureRegionKeys(join(folder.path, "lost.json"), regions);
    assert.deepEqual(again.keys, whole.keys);
    assert.deepEqual(again.made, []);
    assert.equal((await client.describeKey({ KeyId: KEY_ALIASES.records })).KeyMetadata?.Arn, whole.keys["eu-west-1"]);
    assert.equal((await keysOf(client)).length, 1);
  });

  it("are asked of no region once they are known", async () => {
    const { keys } = await ensureRegionKeys(path, regions);
    for (const name of NAMES) await kms.stopRegion(name);
    assert.deepEqual(await ensureRegionKeys(path, regions), { keys, made: [], missing: {} });
  });

  it("are remembered where a region answered, and the others named", async () => {
    await kms.stopRegion("eu-west-1");
    await assert.rejects(ensureRegionKeys(path, regions), (error) => {
      assert.ok(error instanceof CliError);
      assert.equal(error.outcome, "unavailable");
      assert.deepEqual(error.problems, ["eu-west-1: nothing listens there"]);
      return true;
    });
    assert.deepEqual(Object.keys(await readRegionKeys(path)), ["eu-west-2"]);
    await kms.startRegion("eu-west-1");
    assert.deepEqual((await ensureRegionKeys(path, regions)).made, ["eu-west-1"]);
  });

  it("are the same for two that start at the same time", async () => {
    const [one, other] = await Promise.all([
      ensureRegionKeys(`${path}-1`, regions),
      ensureRegionKeys(`${path}-2`, regions),
    ]);
    assert.deepEqual(one.keys, other.keys);
  });

  const forPeople = { purpose: "keyStore" } as const;

  it("of people are others than those of records, under an alias of their own, and interrupted as well", async () => {
    const records = await ensureRegionKeys(path, regions);
    const people = await ensureRegionKeys(path, regions, forPeople);
    assert.deepEqual(await readInstallationKeys(path), { ...NO_KEYS, records: records.keys, keyStore: people.keys });
    for (const { region, client } of regions) {
      assert.notEqual(people.keys[region], records.keys[region]);
      assert.equal((await client.describeKey({ KeyId: KEY_ALIASES.keyStore })).KeyMetadata?.Arn, people.keys[region]);
    }
    // Two starts that were interrupted between key and alias, and lost what they remembered.
    const { client } = regions[0] ?? assert.fail();
    for (const alias of Object.values(KEY_ALIASES)) await client.deleteAlias({ AliasName: alias });
    const lost = join(folder.path, "lost-people.json");
    assert.deepEqual((await ensureRegionKeys(lost, regions, forPeople)).keys, people.keys);
    assert.deepEqual((await ensureRegionKeys(lost, regions)).keys, records.keys);
    assert.equal((await keysOf(client)).length, 2);
  });

  it("of people go without a region that is away, and are made there later", async () => {
    await ensureRegionKeys(path, regions);
    await kms.stopRegion("eu-west-2");
    const some = await ensureRegionKeys(path, regions, { ...forPeople, minimum: 1 });
    assert.deepEqual([Object.keys(some.keys), Object.keys(some.missing)], [["eu-west-1"], ["eu-west-2"]]);
    await assert.rejects(ensureRegionKeys(path, regions, forPeople), { code: "keys-not-ready" });
    await kms.startRegion("eu-west-2");
    assert.deepEqual((await ensureRegionKeys(path, regions, forPeople)).made, ["eu-west-2"]);
  });

  it("of a version without a key store are read, and kept when those of people come", async () => {
    const { keys } = await ensureRegionKeys(path, regions);
    await writeFile(path, JSON.stringify({ format: 1, keys }));
    assert.deepEqual(await readInstallationKeys(path), { ...NO_KEYS, records: keys });
    assert.deepEqual(await ensureRegionKeys(path, regions), { keys, made: [], missing: {} });
    assert.match(await readFile(path, "utf8"), /"format":1/, "nothing to remember, nothing to write");
    await ensureRegionKeys(path, regions, forPeople);
    assert.deepEqual(await readRegionKeys(path), keys);
    assert.match(await readFile(path, "utf8"), /"format": 2/, "which a version of before refuses");
  });

  it("of a newer version, and of a file that somebody damaged, are left alone", async () => {
    const told = async (content: string): Promise<string> => {
      await writeFile(path, content);
      return ensureRegionKeys(path, regions).then(
        () => "read",
        (error: unknown) => (error instanceof CliError ? error.code : String(error)),
      );
    };
    assert.equal(await told('{"format":5,"keys":{}}'), "data-dir-newer");
    for (const damaged of [
      '{"format":2,"keys":{}}',
      '{"format":2,"keys":{},"keyStore":{"generation":2,"keys":{}}}',
      '{"format":2,"keys":{"eu-west-1":"x"},"keyStore":{"generation":1,"keys":{}}}',
      '{"format":3,"keys":{},"keyStore":{"generation":1,"keys":{}},"set":0,"next":null,"left":[]}',
      "{",
    ])
      assert.equal(await told(damaged), "data-dir-unusable", damaged);
  });
});
