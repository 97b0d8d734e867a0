/**
 * A run of a vault with an audit: what is told of it, and that nothing which a hand put into the database is sealed anew
 * or put back as if it were right.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { TestContext } from "node:test";
import { parseAddress } from "@strongroom/vault";
import type { Scope, Vault } from "@strongroom/vault";
import { memoryKeyStore, memoryStore } from "@strongroom/vault/memory";
import { tablesOf } from "../../src/stores/memory/memory-storage.ts";
import { recordKey } from "../../src/stores/memory/tables.ts";
import { auditedVault } from "../support/audited-vault.ts";
import type { AuditedVault } from "../support/audited-vault.ts";
import {
  putPeople,
  QUICK_RUN,
  requireAll,
  testKeySet,
  untilRun,
  wrapsOfVersions,
  distinct,
} from "../support/converging.ts";
import type { TestKeySet } from "../support/converging.ts";
import { until } from "../support/regional-vault.ts";
import { storeWith } from "../support/store-with.ts";

const FAST = { rate: 10_000 };

interface Audited extends AuditedVault {
  readonly running: Vault;
  readonly a: TestKeySet;
  readonly b: TestKeySet;
}

/** With some records. */
async function audited(t: TestContext, scope: Scope = "record"): Promise<Audited> {
  const [a, b] = [testKeySet("a"), testKeySet("b")];
  const sets = { keyring: a.keyring, keySet: a.keySet, next: { keyring: b.keyring, keySet: b.keySet } };
  const opened = await auditedVault(t, { ...sets, repair: QUICK_RUN });
  const keys = { store: memoryKeyStore({ storage: opened.keyMemory }), scope };
  await opened.vault.close();
  const running = await opened.another({
    ...sets,
    keys,
    repair: { ...QUICK_RUN, itemWaitMs: 20, longestItemWaitMs: 50 },
  });
  await putPeople(running, 5);
  return { ...opened, running, a, b };
}

test("a run is in the audit: who began it, the flips, each record that was sealed anew, and its end", async (t) => {
  const { running, entries } = await audited(t);
  await running.as({ principal: "token:clerk" }).convergence.apply({ ...FAST, keepOld: true });
  await untilRun(running, "hold");
  assert.equal((await running.convergence.status()).run?.by, "token:clerk");
  await running.convergence.apply();
  await untilRun(running, "done");
  const told = async (): Promise<readonly string[]> =>
    (await entries("converge")).map(({ details, result }) => `${String(details?.["does"])} ${result}`);
  await until(async () => (await told()).includes("end done"));
  assert.deepEqual((await told()).toSorted(), [
    "begin begun",
    "begin done",
    "drop begun",
    "drop done",
    "end done",
    "hold done",
  ]);
  assert.equal((await entries("flip-key-set")).length, 4);
  const anew = (await entries("rewrap")).filter(({ records }) => records !== undefined);
  assert.equal(anew.length, 5);
  await requireAll(running, 5);
});

test("a record that was set back is not sealed anew; it is listed, and the run does not end before", async (t) => {
  const { running, rowOf, putBack, store } = await audited(t);
  const address = { collection: "people", id: "id-2" };
  const before = rowOf(address);
  await running.put(address, { n: 22 });
  putBack(address, before);
  await running.convergence.apply(FAST);
  await until(async () => (await running.convergence.failures()).failures.length > 0);
  assert.equal((await running.convergence.failures()).failures[0]?.code, "record-rolled-back");
  assert.deepEqual(distinct((await wrapsOfVersions(store)).present).toSorted(), ["a", "b"]);
  const { run } = await running.convergence.status();
  assert.deepEqual([run?.state, run?.phase], ["running", "add"]);
});

test("a kept message that a hand replaced is not put back: the record is sealed anew from what is right", async (t) => {
  const { running, memory, store, b } = await audited(t);
  await running.convergence.apply({ ...FAST, keepOld: true });
  await untilRun(running, "hold");
  const { records } = tablesOf(memory);
  const [one, other] = [1, 3].map((n) =>
    records.get(recordKey(parseAddress({ collection: "people", id: `id-${n}` })))!,
  );
  const versions = one!.versions.map((row) => ({ ...row, kept: other!.versions[0]!.kept }));
  records.set(recordKey(one!.address), { ...one!, versions });
  await running.convergence.undo("back");
  await untilRun(running, "undone");
  b.isAway = true;
  assert.deepEqual(distinct((await wrapsOfVersions(store)).present), ["a"]);
  await requireAll(running, 5);
});

test("a version whose record is written while it is looked at goes to the other scope like all others", async (t) => {
  const { running, another, memory, keyMemory } = await audited(t, "subject");
  await running.close();
  const keys = { store: memoryKeyStore({ storage: keyMemory }), scope: "record" as const };
  const writer = await another({ keys, repair: undefined as never });
  const opened = memoryStore({ storage: memory });
  let written = 0;
  const store = storeWith(opened, {
    records: {
      read: async (address, version) => {
        const read = await opened.records.read(address, version);
        // Of the pass, which reads each version by its number.
        if (version !== null && written < 5)
          await writer.put({ collection: "people", id: `id-${written++}` }, { n: 7 });
        return read;
      },
    },
  });
  const moving = await another({ keys, store });
  await moving.convergence.apply(FAST);
  await untilRun(moving, "done");
  assert.equal(written, 5);
  assert.deepEqual((await moving.convergence.plan()).scopes, []);
});
