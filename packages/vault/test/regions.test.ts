/**
 * The vault over the real multi-region keyring and a real KMS with three regions.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { DisableKeyCommand, EnableKeyCommand } from "@aws-sdk/client-kms";
import { inspect } from "@strongroom/envelope";
import { parseAddress } from "@strongroom/vault";
import { rejectsWith } from "./support/errors.ts";
import { REGIONS, regionalVault } from "./support/regional-vault.ts";
import { alteredStore, lastByteAltered } from "./support/store-with.ts";
import { testStorage } from "./support/storage.ts";

const address = { collection: "people", id: "ada" };

test("a version is wrapped in every region, under a context that names it", async (t) => {
  const { vault, store } = await regionalVault(t);
  const { wraps } = await vault.put(address, { n: 1 }, { subject: "person-1" });
  assert.deepEqual(wraps, { stored: 3, target: 3, missing: [] });
  const { stored } = await store.records.read({ ...address } as never, null);
  const { encryptionContext, encryptedDataKeys } = inspect(stored!.message);
  assert.deepEqual(
    { ...encryptionContext },
    {
      "strongroom:collection": "people",
      "strongroom:id": "ada",
      "strongroom:subject": "person-1",
      "strongroom:version": "1",
    },
  );
  assert.deepEqual(encryptedDataKeys.map(({ region }) => region).sort(), [...REGIONS].sort());
});

test("one region away: all is read and written, and the missing wraps are owed", async (t) => {
  const { vault, kms } = await regionalVault(t);
  await vault.put(address, { n: 1 });
  await kms.stopRegion("eu-west-1");
  assert.deepEqual((await vault.get(address)).document, { n: 1 });
  const { wraps, version } = await vault.put(address, { n: 2 });
  assert.deepEqual([wraps, version], [{ stored: 2, target: 3, missing: ["eu-west-1"] }, 2]);
  const [batch] = await vault.putMany("people", [{ id: "bob", document: {} }], { onExisting: "compare" });
  assert.deepEqual(batch, {
    id: "bob",
    outcome: "created",
    version: 1,
    wraps: { stored: 2, target: 3, missing: ["eu-west-1"] },
  });
  assert.deepEqual(
    (await vault.wrapDebt()).regions.map(({ region, items }) => [region, items]),
    [["eu-west-1", 2]],
  );
  assert.deepEqual(
    (await vault.history(address)).map(({ wraps: { stored } }) => stored),
    [2, 3],
  );
  await kms.startRegion("eu-west-1");
  await vault.remove(address);
  assert.equal((await vault.wrapDebt()).items, 1, "what is removed owes nothing");
});

test("two regions away: reads go on, writes are refused with each region's reason and nothing is stored", async (t) => {
  const { vault, kms } = await regionalVault(t);
  await vault.put(address, { n: 1 });
  await kms.stopRegion("eu-west-1");
  await kms.stopRegion("eu-west-2");
  assert.deepEqual((await vault.get(address)).document, { n: 1 });
  const error = await rejectsWith("wraps-below-minimum", () => vault.put(address, { n: 2 }));
  assert.deepEqual(
    error.regions?.map(({ region, reason }) => [region, reason]),
    [
      ["eu-west-1", "refused"],
      ["eu-west-2", "refused"],
    ],
  );
  assert.doesNotMatch(error.message, /arn:/);
  await rejectsWith("wraps-below-minimum", () =>
    vault.putMany(
      "people",
      [
        { id: "bob", document: {} },
        { id: "a/b", document: {} },
      ],
      { onExisting: "replace" },
    ),
  );
  assert.equal((await vault.history(address)).length, 1);
  assert.equal((await vault.list("people")).items.length, 1);
  assert.deepEqual(await vault.wrapDebt(), { items: 0, regions: [] });
});

test("all regions away: reads are refused as unavailable, not as tampered; back again, all goes on", async (t) => {
  const { vault, kms } = await regionalVault(t);
  await vault.put(address, { n: 1 });
  for (const region of REGIONS) await kms.stopRegion(region);
  const error = await rejectsWith("regions-unavailable", () => vault.get(address));
  assert.deepEqual(error.regions?.map(({ region }) => region).sort(), [...REGIONS].sort());
  await rejectsWith("wraps-below-minimum", () => vault.put(address, { n: 2 }));
  await rejectsWith("regions-unavailable", () =>
    vault.putMany("people", [{ id: "ada", document: { n: 1 } }], { onExisting: "compare" }),
  );
  assert.deepEqual(await vault.putMany("people", [{ id: "ada", document: { n: 9 } }], { onExisting: "keep" }), [
    { id: "ada", outcome: "kept", version: 1 },
  ]);
  for (const region of REGIONS) await kms.startRegion(region);
  assert.deepEqual((await vault.get(address)).document, { n: 1 });
  assert.equal((await vault.put(address, { n: 2 })).version, 2);
});

test("a disabled key is one region away, with its own reason", async (t) => {
  const { vault, keys } = await regionalVault(t);
  await vault.put(address, { n: 1 });
  const { client, keyArn } = keys[0]!;
  await client.send(new DisableKeyCommand({ KeyId: keyArn }));
  assert.deepEqual((await vault.get(address)).document, { n: 1 });
  assert.deepEqual((await vault.put(address, { n: 2 })).wraps.missing, ["eu-west-1"]);
  await client.send(new EnableKeyCommand({ KeyId: keyArn }));
});

test("a moved row and a changed message are refused as such by real regions too, also when no region answers", async (t) => {
  const storage = await testStorage(t);
  const store = await storage.open();
  const bob = parseAddress({ collection: "people", id: "bob" });
  const altered = alteredStore(store, async (stored, id) => {
    if (id === "bob") return { ...stored, message: lastByteAltered(stored.message) };
    return { ...stored, message: (await store.records.read(bob, null)).stored!.message };
  });
  const { vault, kms } = await regionalVault(t, { storage, store: altered });
  await vault.put(address, { n: 1 }, { subject: "ada" });
  await vault.put(bob, { n: 2 });
  await rejectsWith("record-tampered", () => vault.get(bob));
  await rejectsWith("record-moved", () => vault.get(address));
  for (const region of REGIONS) await kms.stopRegion(region);
  await rejectsWith("record-moved", () => vault.get(address));
});
