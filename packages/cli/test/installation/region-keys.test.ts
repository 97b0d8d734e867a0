import assert from "node:assert/strict";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { after, afterEach, before, beforeEach, describe, it } from "node:test";
import type { KMS } from "@aws-sdk/client-kms";
import { createKms, type Kms } from "@strongroom/kms";
import { CliError } from "../../src/errors.ts";
import { kmsClient } from "../../src/installation/keyring.ts";
import { ensureRegionKeys, KEY_ALIAS, readRegionKeys, type RegionClient } from "../../src/installation/region-keys.ts";
import { temporaryFolder } from "../support/installation.ts";

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
    await mkdir(dataDir, { mode: 0o700 });
    path = join(dataDir, "keys.json");
    kms = await createKms({
      dataDir,
      regions: NAMES.map((name) => ({ name, port: 0 })),
      rootKey: { kind: "file", path: join(dataDir, "root.key") },
    });
    regions = await Promise.all(
      NAMES.map(async (region) => ({
        region,
        client: await kmsClient({
          region,
          endpoint: kms.endpoints[region],
          allowUnauthenticated: true,
          credentialsFile: join(dataDir, "credentials.json"),
        }),
      })),
    );
  });

  async function keysOf(client: KMS): Promise<string[]> {
    return ((await client.listKeys({})).Keys ?? []).flatMap(({ KeyArn }) => KeyArn ?? []);
  }

  it("are made once, with their alias, and remembered", async () => {
    const first = await ensureRegionKeys(path, regions);
    assert.deepEqual([...first.made].sort(), [...NAMES]);
    assert.deepEqual(await readRegionKeys(path), first.keys);
    for (const { region, client } of regions) {
      assert.equal((await client.describeKey({ KeyId: KEY_ALIAS })).KeyMetadata?.Arn, first.keys[region]);
      assert.equal((await keysOf(client)).length, 1);
    }
    assert.deepEqual(await ensureRegionKeys(path, regions), { keys: first.keys, made: [], missing: {} });
  });

  it("are taken up where a start was interrupted between the key and its alias", async () => {
    const { client } = regions[0] ?? assert.fail();
    // What an interrupted start leaves: the key of a whole run whose alias is not there yet.
    const whole = await ensureRegionKeys(path, regions);
    await client.deleteAlias({ AliasName: KEY_ALIAS });
    const again = await ensureRegionKeys(join(folder.path, "lost.json"), regions);
    assert.deepEqual(again.keys, whole.keys);
    assert.deepEqual(again.made, []);
    assert.equal((await client.describeKey({ KeyId: KEY_ALIAS })).KeyMetadata?.Arn, whole.keys["eu-west-1"]);
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
});
