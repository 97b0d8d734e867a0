/**
 * People who are new while a region is away: what their keys owe is told, listed with what versions owe, and paid when
 * it is back.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { multiRegionKeyring } from "@strongroom/envelope/aws-kms";
import { memoryKeyStore } from "@strongroom/vault/memory";
import { QUICK_KEYRING, QUICK_REPAIR, regionalKeys, until } from "../support/regional-vault.ts";
import { testVault } from "../support/vault.ts";

test("a region that was away while 100 people were new: every key gets its wrap, by nobody's doing", async (t) => {
  const { kms, keys } = await regionalKeys(t);
  const keyring = multiRegionKeyring({ regions: keys, minimum: 2, ...QUICK_KEYRING });
  const store = memoryKeyStore();
  const { vault } = await testVault(t, {
    keyring,
    keys: { store },
    collections: { letters: { scope: "record" } },
    repair: { ...QUICK_REPAIR, health: () => keyring.health() },
  });
  await kms.stopRegion("eu-west-2");
  const items = Array.from({ length: 100 }, (_, n) => ({ id: `id-${n}`, document: { n } }));
  await vault.putMany("people", items, { onExisting: "replace" });
  await vault.putMany("letters", items.slice(0, 5), { onExisting: "replace" });
  const seen: string[] = [];
  let cursor: string | undefined;
  do {
    const page = await vault.debts({ limit: 30, ...(cursor === undefined ? {} : { cursor }) });
    for (const item of page.items) seen.push(item.kind === "key" ? item.key.kind : `${item.collection} ${item.kind}`);
    cursor = page.next ?? undefined;
  } while (cursor !== undefined);
  const count = (what: string): number => seen.filter((found) => found === what).length;
  // Beside the people's keys, the vault's own that find and name them.
  assert.deepEqual([count("subject"), count("lookup"), count("names"), count("letters version")], [100, 1, 1, 5]);
  assert.equal(seen.at(-1), "letters version", "keys come first");
  const { items: owed, regions } = await vault.wrapDebt();
  assert.deepEqual([owed, regions.map(({ region, items: own }) => [region, own])], [107, [["eu-west-2", 107]]]);
  await until(() => vault.debtSeen()?.items === 107);
  await kms.startRegion("eu-west-2");
  await until(async () => (await vault.wrapDebt()).items === 0);
  await until(() => vault.repairStatus().repaired === 107);
  await until(() => vault.debtSeen()?.items === 0);
  for (const owner of await store.keys.people({ after: null, limit: 1000 })) {
    const [read] = await store.keys.active([{ kind: "subject", owner }]);
    const { key } = read!;
    if (key !== null) assert.equal(key.wraps.length, 3);
  }
  assert.deepEqual(
    (await vault.jobs()).map(({ job, done }) => [job, done]),
    [
      ["repair", 5],
      ["repair-keys", 102],
    ],
  );
  assert.deepEqual((await vault.get({ collection: "people", id: "id-7" })).document, { n: 7 });
});
