/**
 * A vault after a restore that was accepted: what was removed before it is written again without an alarm, and what
 * somebody puts back from the time before is refused.
 */
import assert from "node:assert/strict";
import test from "node:test";
import type { TestContext } from "node:test";
import { memoryAuditLog } from "@strongroom/vault/memory";
import { tablesOf } from "../../src/stores/memory/memory-storage.ts";
import { auditedVault } from "../support/audited-vault.ts";
import type { AuditedVault } from "../support/audited-vault.ts";
import { rejectsWith } from "../support/errors.ts";
import { keep } from "./support/snapshot.ts";

const ADA = { collection: "people", id: "ada" };
const OF_ADA = { subject: "ada" };

interface Restored extends AuditedVault {
  readonly alarms: readonly string[];
  /** The record before it was removed, with the entry that made it as it waited. */
  readonly putRemovedBack: () => void;
}

/** Removed, and after that something was lost. */
async function restored(t: TestContext): Promise<Restored> {
  const audited = await auditedVault(t);
  const { vault, memory, keyMemory, logMemory, rowOf, putBack, store, another } = audited;
  await vault.put(ADA, { name: "Ada" }, OF_ADA);
  const row = rowOf(ADA);
  const [waiting] = (await store.outbox.take(99)).filter(({ tag }) => tag !== null);
  const { outbox } = tablesOf(memory);
  const copy = outbox.first(99).find(({ id }) => id === waiting?.id)!;
  await vault.remove(ADA);
  await vault.audit!.sequence();
  const older = keep({ records: memory, keyRows: keyMemory, log: logMemory }, "records");
  await vault.put({ ...ADA, id: "bob" }, { name: "Bob" }, { subject: "bob" });
  await vault.close();
  older();
  const alarms: string[] = [];
  const log = memoryAuditLog({ storage: logMemory });
  const audit = { log, acceptRestore: "a test", onAlarm: ({ code }: { code: string }) => void alarms.push(code) };
  const opened = await another({ audit });
  return {
    ...audited,
    vault: opened,
    alarms,
    putRemovedBack: () => {
      putBack(ADA, row);
      outbox.add(copy);
    },
  };
}

test("what was removed before a restore is written again, and read at once", async (t) => {
  const { vault, alarms } = await restored(t);
  await rejectsWith("record-absent", () => vault.get(ADA));
  const { version } = await vault.put(ADA, { name: "Countess" }, OF_ADA);
  assert.equal(version, 2);
  assert.deepEqual((await vault.get(ADA)).document, { name: "Countess" });
  await vault.put(ADA, { name: "Ada" });
  assert.deepEqual((await vault.get(ADA)).document, { name: "Ada" });
  await vault.audit!.sequence();
  assert.deepEqual((await vault.get(ADA)).document, { name: "Ada" });
  assert.deepEqual(alarms, ["accept-restore"]);
  assert.deepEqual((await vault.audit!.verify()).problems, []);
});

test("what was removed before a restore, put back with the entry that made it, is refused", async (t) => {
  const { vault, putRemovedBack } = await restored(t);
  putRemovedBack();
  await rejectsWith("record-tampered", () => vault.get(ADA));
  await vault.audit!.sequence();
  await rejectsWith("record-tampered", () => vault.get(ADA));
});
