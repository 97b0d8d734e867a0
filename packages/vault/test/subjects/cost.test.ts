/** What keys cost is counted by the vault as it reads and writes: what is not stored, and what is not opened, is not. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { rejectsWith } from "../support/errors.ts";
import { keyedVault } from "../support/keyed-vault.ts";
import { testVault } from "../support/vault.ts";

test("writes, reads and new people are counted in the scope of their collection", async (t) => {
  const collections = { whole: { scope: "record" }, mine: {} } as const;
  const { vault } = await keyedVault(t, { collections });
  const items = Array.from({ length: 10 }, (_, n) => ({ id: String(n), document: { n }, subject: `p${n % 5}` }));
  await vault.putMany("mine", items, { onExisting: "replace" });
  await vault.put({ collection: "whole", id: "1" }, {}, { subject: "p1" });
  await vault.put({ collection: "mine", id: "new" }, {});
  for (const { id } of items) await vault.get({ collection: "mine", id });
  await rejectsWith("record-absent", () => vault.get({ collection: "mine", id: "absent" }));
  await rejectsWith("version-conflict", () =>
    vault.put({ collection: "mine", id: "new" }, {}, { expect: { kind: "absent" } }),
  );
  const cost = vault.keyCost();
  assert.deepEqual(cost?.traffic, { writes: 12, reads: 10, newOwners: 6, newTenants: 1 });
  assert.deepEqual(cost.present, { record: 1, subject: 6, tenant: 0 });
  assert.deepEqual([cost.inScope.record, cost.inScope.subject], [22, 6]);
  // A write that inherits opens the version before; one in a transaction counts when it is made.
  await vault.put({ collection: "mine", id: "new" }, {});
  await vault.prepare({ collection: "mine", id: "newer" }, {});
  assert.deepEqual([vault.keyCost()?.traffic.writes, vault.keyCost()?.traffic.reads], [13, 11]);
  assert.equal((await testVault(t)).vault.keyCost(), null);
});
