// The configured key set and the next one, over one KMS: what moves from one to the other stays inside it.
import assert from "node:assert/strict";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { keyedHash, makeKey, rewrapKey } from "@strongroom/envelope/keyrings";
import { createKms, type Kms } from "@strongroom/kms";
import { loadConfig } from "../../src/config/load.ts";
import { prepareDataFolder } from "../../src/data-folder.ts";
import type { KnownKeySets } from "../../src/installation/key-sets.ts";
import { kmsClient, KmsClients } from "../../src/installation/keyring.ts";
import { configuredKeySets } from "../../src/installation/serve.ts";
import { temporaryFolder } from "../support/installation.ts";

const REGIONS = ["eu-west-1", "eu-west-2"] as const;
const encryptionContext = {
  "branch-key-id": "s",
  type: "branch:version:1",
  "create-time": "t",
  tablename: "n",
  "hierarchy-version": "1",
};
const keyArnEntry = "kms-arn";

describe("clients of key sets", () => {
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  let kms: Kms;
  before(async () => {
    folder = await temporaryFolder();
    const regions = REGIONS.map((name) => ({ name, port: 0 }));
    const options = { regions, tls: { kind: "own" }, strongroomUsers: "made" } as const;
    kms = await createKms({ dataDir: join(folder.path, "kms"), ...options });
  });
  after(async () => {
    await kms.close();
    await folder[Symbol.asyncDispose]();
  });

  const placeOf = (region: string, user = "service"): Parameters<typeof kmsClient>[0] => ({
    region,
    endpoint: kms.endpoints[region],
    tlsFingerprint: kms.tls?.fingerprint,
    credentialsFile: join(kms.dataDir, user === "root" ? "credentials.json" : `${user}-credentials.json`),
  });

  async function keySets(): Promise<KnownKeySets> {
    const sets: Record<string, unknown> = {};
    for (const setting of ["keys.regions", "keys.next"]) {
      const regions = [];
      for (const region of REGIONS) {
        const root = await kmsClient(placeOf(region, "root"));
        const keyArn = (await root.createKey({})).KeyMetadata?.Arn ?? "";
        root.destroy();
        regions.push({ ...placeOf(region), keyArn });
      }
      sets[setting] = regions;
    }
    const values = { ...sets, dataDir: join(folder.path, "data") };
    const flags = Object.entries(values).map(([path, value]) => ({ path, origin: "test", value }));
    const { config } = await loadConfig({ cwd: folder.path, env: {}, flags });
    return (await configuredKeySets(config, (await prepareDataFolder(config.dataDir)).folder)).records;
  }

  it("are shared, so that the service re-encrypts from one set to the next, and may", async () => {
    const { current, next } = await keySets();
    assert.ok(next !== null);
    const { key, wraps } = await makeKey({ keyring: current.keyring, encryptionContext, keyArnEntry });
    const hash = keyedHash(key, Buffer.from("check"));
    key.wipe();
    const asked: string[] = [];
    const { made, missing } = await rewrapKey(wraps, {
      keyring: next.keyring,
      sources: [current.keyring],
      encryptionContext,
      keyArnEntry,
      accepts: (candidate) => keyedHash(candidate, Buffer.from("check")).equals(hash),
      onCall: ({ operation }) => asked.push(operation),
    });
    assert.deepEqual([missing, made.map((each) => each.key)], [[], next.keys]);
    assert.deepEqual(asked.toSorted(), ["Decrypt", "Decrypt", "ReEncrypt", "ReEncrypt"]);
  });

  it("are another for another region, place, pin or access key", async () => {
    const clients = new KmsClients();
    const place = placeOf(REGIONS[0]);
    const one = await clients.of(place);
    assert.equal(await clients.of({ ...place }), one);
    for (const other of [
      { region: REGIONS[1] },
      { endpoint: kms.endpoints[REGIONS[1]] },
      { tlsFingerprint: "00".repeat(32) },
      { credentialsFile: placeOf(REGIONS[0], "operator").credentialsFile },
    ])
      assert.notEqual(await clients.of({ ...place, ...other }), one);
  });
});
