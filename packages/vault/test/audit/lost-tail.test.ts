/**
 * A standby that lacked the last moments is gone on with, and nothing else is forgotten for it: what is set back by
 * hand a moment later is refused as at any other time.
 */
import assert from "node:assert/strict";
import test from "node:test";
import { memoryAuditLog } from "@strongroom/vault/memory";
import type { Vault } from "@strongroom/vault";
import { tablesOf } from "../../src/stores/memory/memory-storage.ts";
import { auditedVault } from "../support/audited-vault.ts";
import type { AuditedVault } from "../support/audited-vault.ts";

const at = (id: string): { collection: string; id: string } => ({ collection: "people", id });
const OF_ADA = { subject: "ada@example.com" };

/** A vault, and the one that is opened over its records as they were before the last moments. */
async function afterLoss(
  { vault, memory, logMemory, another }: AuditedVault,
  lost: () => Promise<unknown>,
): Promise<Vault> {
  await vault.audit!.sequence();
  while (!(await vault.audit!.status()).adopted) await vault.audit!.sequence();
  const { records, streams } = tablesOf(memory);
  const kept = [keptOf(records), keptOf<unknown, unknown>(streams)];
  await lost();
  await vault.audit!.sequence();
  await vault.close();
  for (const putBack of kept) putBack();
  const log = memoryAuditLog({ storage: logMemory });
  return another({ audit: { log, rollback: { acceptTail: 600_000 } } });
}

function keptOf<Key, Row>(table: Map<Key, Row>): () => void {
  const rows = [...table];
  return () => {
    table.clear();
    for (const [key, row] of rows) table.set(key, row);
  };
}

test("what lost entries had changed is as before, and everything else is held to what the log knows", async (t) => {
  const audited = await auditedVault(t);
  const { vault, rowOf, putBack } = audited;
  for (const id of ["ada", "bob", "carol", "eve"]) await vault.put(at(id), { name: id }, OF_ADA);
  const next = await afterLoss(audited, async () => {
    await vault.put(at("bob"), { name: "bob, lost" }, OF_ADA);
    await vault.remove(at("carol"));
    await vault.put(at("dave"), { name: "dave, lost" }, OF_ADA);
    await vault.put(at("eve"), { name: "eve, lost" }, OF_ADA);
    await vault.remove(at("eve"));
  });
  assert.deepEqual(
    (await next.audit!.status()).alarms.map(({ code }) => code),
    ["accept-restore"],
  );
  for (const id of ["ada", "bob", "carol", "eve"]) {
    const found = await next.get(at(id));
    assert.deepEqual(found.document, { name: id });
  }
  await assert.rejects(next.get(at("dave")), { code: "record-absent" });
  // It goes on, for all of them.
  const older = rowOf(at("ada"));
  for (const id of ["ada", "bob", "carol", "dave", "eve"]) await next.put(at(id), { name: `${id} again` }, OF_ADA);
  const newest = rowOf(at("ada"));
  putBack(at("ada"), older);
  await assert.rejects(next.get(at("ada")), { code: "record-rolled-back" });
  putBack(at("ada"), newest);
  await next.audit!.sequence();
  const { problems } = await next.audit!.verify({});
  assert.deepEqual(problems, []);
  const { alarms, adopted } = await next.audit!.status();
  assert.deepEqual([alarms.filter(({ code }) => code !== "record-rolled-back").length, adopted], [1, true]);
  const [accepted, ...more] = await audited.entries("accept-restore");
  assert.deepEqual([accepted?.records?.length, more.length], [4, 0]);
});

test("a record that is set back by hand right after a lost tail was accepted is refused", async (t) => {
  const audited = await auditedVault(t);
  const { vault, rowOf, putBack } = audited;
  await vault.put(at("ada"), { name: "first" }, OF_ADA);
  const first = rowOf(at("ada"));
  await vault.put(at("ada"), { name: "second" }, OF_ADA);
  await vault.put(at("bob"), { name: "bob" }, OF_ADA);
  const next = await afterLoss(audited, () => vault.put(at("bob"), { name: "lost" }, OF_ADA));
  putBack(at("ada"), first);
  await assert.rejects(next.get(at("ada")), { code: "record-rolled-back" });
  assert.deepEqual((await next.get(at("bob"))).document, { name: "bob" });
});
