/** Over a real KMS: which of its calls an entry names, and what a repair does under an audit. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { TestContext } from "node:test";
import { multiRegionKeyring } from "@strongroom/envelope/aws-kms";
import { text } from "@strongroom/vault/normalisers";
import { auditedVault, inWords } from "../support/audited-vault.ts";
import type { AuditedVault, AuditedVaultOptions } from "../support/audited-vault.ts";
import { owesNothing, QUICK_KEYRING, QUICK_REPAIR, regionalKeys, until } from "../support/regional-vault.ts";
import type { RegionalKeys } from "../support/regional-vault.ts";

const ADA = { collection: "people", id: "ada" };
const OF_ADA = { subject: "ada@example.com" };
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

async function regional(
  t: TestContext,
  options: Omit<AuditedVaultOptions, "keyring"> = {},
): Promise<AuditedVault & RegionalKeys> {
  const regions = await regionalKeys(t);
  const keyring = multiRegionKeyring({ regions: regions.keys, minimum: 2, proveWraps: "off", ...QUICK_KEYRING });
  const repair = options.repair === undefined ? {} : { repair: { ...options.repair, health: () => keyring.health() } };
  return { ...regions, ...(await auditedVault(t, { ...options, ...repair, keyring })) };
}

describe("an entry names the calls of a KMS", () => {
  test("that made the key of a person, with the ids of its log; a hot read takes none", async (t) => {
    const { vault, entries, keys } = await regional(t);
    // The vault's own keys are made with the first write.
    await vault.put({ collection: "people", id: "first" }, { n: 0 });
    await vault.put(ADA, { name: "Ada" }, OF_ADA);
    await vault.get(ADA);
    const [, write] = await entries("write");
    const [read] = await entries("read");
    assert.deepEqual(
      write!.kms!.map(({ region, key }) => `${region} ${key}`).sort(),
      keys.map(({ region, keyArn }) => `${region} ${keyArn}`).sort(),
    );
    assert.ok(write!.kms!.every(({ requestId }) => UUID.test(requestId)));
    assert.equal(new Set(write!.kms!.map(({ requestId }) => requestId)).size, 3);
    assert.equal(read!.kms, undefined);
  });

  test("that a cold read took, of a process that has opened nothing yet", async (t) => {
    const { vault, another, entries } = await regional(t);
    await vault.put(ADA, { name: "Ada" }, OF_ADA);
    const other = await another();
    await other.get(ADA);
    const [read] = await entries("read");
    assert.ok(read!.kms!.length >= 1, "the person's key was opened for it");
  });

  test("that a look took, also where one of what it found is withheld", async (t) => {
    const people = { scope: "record", fields: { name: { find: text(), values: 5_000 } } } as const;
    const { vault, entries, rowOf, putBack } = await regional(t, { collections: { people } });
    await vault.put(ADA, { name: "Ada" });
    await vault.put({ collection: "people", id: "other" }, { name: "Ada" });
    const before = rowOf(ADA);
    await vault.put(ADA, { name: "Ada", n: 2 });
    putBack(ADA, before);
    const { items, withheld } = await vault.find("people", { name: "Ada" });
    assert.deepEqual([items.length, withheld?.length], [1, 1]);
    const [read] = await entries("read");
    assert.ok(read!.kms!.length >= 1, "the version's key was opened for it");
  });

  test("of each version's own key in record scope, in a batch too", async (t) => {
    const { vault, entries } = await regional(t, { collections: { people: { scope: "record" } } });
    const items = Array.from({ length: 4 }, (_, n) => ({ id: `p-${n}`, document: { n } }));
    await vault.putMany("people", items, { onExisting: "replace" });
    await vault.get({ collection: "people", id: "p-0" });
    const written = await entries("write");
    assert.ok(written.every(({ kms = [] }) => kms.length >= 3));
    const ids = written.flatMap(({ kms = [] }) => kms.map(({ requestId }) => requestId));
    assert.equal(new Set(ids).size, ids.length, "each call is in one entry");
    const [read] = await entries("read");
    assert.equal(read!.kms!.length, 1);
  });
});

describe("a repair under an audit", () => {
  test("tells the message that it makes before it is in place, and the record still opens", async (t) => {
    const audited = await regional(t, { collections: { people: { scope: "record" } }, repair: QUICK_REPAIR });
    const { vault, kms, entries } = audited;
    await kms.stopRegion("eu-central-1");
    await vault.put(ADA, { name: "Ada" }, OF_ADA);
    await kms.startRegion("eu-central-1");
    await until(owesNothing(vault));
    const rewraps = (await entries("rewrap")).filter(({ records }) => records !== undefined);
    const [write] = await entries("write");
    assert.deepEqual(inWords(rewraps), ["rewrap done strongroom:repair"]);
    assert.equal(rewraps[0]!.records![0]!.tag, write!.records![0]!.tag);
    assert.notEqual(rewraps[0]!.records![0]!.sha256, write!.records![0]!.sha256);
    assert.deepEqual((await vault.get(ADA)).document, { name: "Ada" });
    await vault.audit!.sequence();
    assert.deepEqual((await vault.get(ADA)).document, { name: "Ada" });
  });

  test("does not seal anew what a hand has put in the place of a message", async (t) => {
    const collections = { people: { scope: "record" } } as const;
    const { vault, another, kms, entries, rowOf, putBack } = await regional(t, { collections });
    await kms.stopRegion("eu-central-1");
    await vault.put(ADA, { name: "Ada" }, OF_ADA);
    const first = rowOf(ADA);
    await vault.put(ADA, { name: "Countess" });
    putBack(ADA, first);
    await kms.startRegion("eu-central-1");
    const repairer = await another({ repair: QUICK_REPAIR });
    const failures = (): Readonly<Partial<Record<string, number>>> => repairer.repairStatus().failuresByCode;
    await until(() => Object.keys(failures()).length > 0 || repairer.repairStatus().repaired > 0);
    assert.deepEqual([Object.keys(failures()), await sealedAnew()], [["record-rolled-back"], []]);

    async function sealedAnew(): Promise<readonly unknown[]> {
      return (await entries("rewrap")).filter(({ records }) => records !== undefined);
    }
  });
});
