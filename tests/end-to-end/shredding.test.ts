// What whoever has every old and present copy of both stores, and every right in the KMS, opens of people who were
// erased: before the wrapping keys of their generation are gone exactly what the vault says, and afterwards nothing, in
// any combination; of everybody else everything. With the project's own KMS, whose days pass when it is told so.
import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import type { KMS } from "@aws-sdk/client-kms";
import { openVault, verifyCertificate } from "@strongroom/vault";
import type { Erasures, Vault } from "@strongroom/vault";
import { sqliteAuditLog, sqliteKeyStore, sqliteStore } from "@strongroom/vault/sqlite";
import { describeBy } from "../../packages/cli/src/retire/describe-key.ts";
import { eraseAll } from "../../packages/vault/test/erasure/support/erasing.ts";
import { QUICK_RUN, untilRun } from "../../packages/vault/test/support/converging.ts";
import { temporaryFolder } from "../../packages/vault/test/support/storage.ts";
import { defer } from "../support/defer.ts";
import { rounds } from "../support/rounds.ts";
import { copyOf, openKeys, openMessages } from "../support/shredding/attacker.ts";
import { DAY_MS, ownKms, pass, regionOf } from "../support/shredding/own-kms.ts";

const PEOPLE: number = rounds(40, 200);
const ERASED: number = rounds(10, 50);

for (const scope of ["subject", "tenant"] as const)
  test(`of people who were erased before a shred nothing opens once the old keys are gone: ${scope} scope`, async (t) => {
    const folder = await temporaryFolder(t);
    const { clock, roots, newKeys } = await ownKms(t, join(folder, "kms"));
    const [recordKeys, one, two] = [await newKeys(), await newKeys(), await newKeys()];
    const [records, keys] = [join(folder, "records.sqlite"), join(folder, "keys.sqlite")];
    const vault = await openVault({
      ...{ store: await sqliteStore(records), ...recordKeys, repair: QUICK_RUN },
      keys: { store: await sqliteKeyStore(keys), scope, ...one, next: { ...two, generation: 2 } },
      audit: { log: await sqliteAuditLog(join(folder, "audit.sqlite")) },
    });
    defer(t, () => vault.close());
    const { erasure } = vault;
    assert.ok(erasure !== null);

    const named = await withPeople(vault);
    const oldRecords = copyOf(records, join(folder, "old-records.sqlite"));
    const oldKeys = copyOf(keys, join(folder, "old-keys.sqlite"));
    const erased = await eraseAll(erasure, named.slice(0, ERASED));
    const living = named.slice(ERASED);
    await vault.convergence.apply({ keepOld: true });
    await untilRun(vault, "hold");
    await vault.convergence.apply({});
    await untilRun(vault, "done");

    const vaultId = (await vault.erasure!.certificateKey()).split("/")[1]!;
    const attack = async (of: { records: readonly string[]; keys: readonly string[] }): Promise<readonly string[]> => {
      const opened = await openKeys(of.keys, { vault: vaultId, kms: roots });
      const documents = await openMessages(of.records, opened);
      return [...new Set(documents.map((text) => (JSON.parse(text) as { of: string }).of))].sort();
    };
    const nowOf = (path: string, name: string): string => copyOf(path, join(folder, name));
    const [newRecords, newKeysCopy] = [nowOf(records, "new-records.sqlite"), nowOf(keys, "new-keys.sqlite")];
    const everybody = [...named].sort();
    const alive = [...living].sort();
    const combinations = async (): Promise<Record<string, readonly string[]>> => ({
      "old records, old keys": await attack({ records: [oldRecords], keys: [oldKeys] }),
      "old records, present keys": await attack({ records: [oldRecords], keys: [newKeysCopy] }),
      "present records, old keys": await attack({ records: [newRecords], keys: [oldKeys] }),
      "present records, present keys": await attack({ records: [newRecords], keys: [newKeysCopy] }),
      "all together": await attack({ records: [oldRecords, newRecords], keys: [oldKeys, newKeysCopy] }),
    });
    const open = {
      "old records, old keys": everybody,
      "old records, present keys": alive,
      "present records, old keys": alive,
      "present records, present keys": alive,
      "all together": everybody,
    };
    const [person] = erased;
    assert.ok(person !== undefined);
    const describe = describeBy((key) => Promise.resolve({ client: roots.get(regionOf(key))!, isAws: true }));
    const stage = (): ReturnType<Erasures["secondStage"]> => erasure.secondStage(person, describe);

    // The keys of before are there: an old backup of both opens whoever it is of, and that is said.
    assert.deepEqual(await combinations(), open);
    const before = await stage();
    assert.equal(before.certificate, null);
    assert.deepEqual(before.recoverable, [
      { what: "name", of: [], by: [...one.keySet].sort() },
      { what: "messages", of: ["people"], by: [...one.keySet].sort() },
    ]);
    assert.equal(before.state.holdsFrom, null);
    assert.deepEqual((await vault.convergence.shredProof()).items, false);

    // Disabled, and their deletion scheduled: nobody opens by them, but whoever has every right takes that back.
    const each = async (act: (client: KMS, KeyId: string) => Promise<unknown>): Promise<void> => {
      for (const key of one.keySet) await act(roots.get(regionOf(key))!, key);
    };
    await each((client, KeyId) => client.disableKey({ KeyId }));
    await each((client, KeyId) => client.scheduleKeyDeletion({ KeyId, PendingWindowInDays: 7 }));
    assert.deepEqual(await attack({ records: [oldRecords], keys: [oldKeys] }), []);
    const scheduled = await stage();
    assert.equal(scheduled.certificate, null);
    assert.equal(scheduled.recoverable.length, 2);
    assert.ok(Date.parse(scheduled.state.holdsFrom ?? "") > clock.now() + 6 * DAY_MS, "it is said from when it holds");
    await each((client, KeyId) => client.cancelKeyDeletion({ KeyId }));
    await each((client, KeyId) => client.enableKey({ KeyId }));
    assert.deepEqual(
      await attack({ records: [oldRecords], keys: [oldKeys] }),
      everybody,
      "until the day it comes back",
    );
    assert.equal((await stage()).state.holdsFrom, null);

    // One of two regions' keys gone is as good as none.
    const [nearest, last] = one.keySet;
    const schedule = (KeyId: string): Promise<unknown> =>
      roots.get(regionOf(KeyId))!.scheduleKeyDeletion({ KeyId, PendingWindowInDays: 7 });
    await schedule(nearest!);
    await pass(clock, roots, 8);
    assert.deepEqual(await attack({ records: [oldRecords], keys: [oldKeys] }), everybody);
    const half = await stage();
    assert.equal(half.certificate, null);
    assert.deepEqual(half.recoverable[0]?.by, [last]);

    // All gone: nothing of the erased, by whatever is put together, and everybody else as ever.
    await schedule(last!);
    await pass(clock, roots, 8);
    assert.deepEqual(await combinations(), {
      "old records, old keys": [],
      "old records, present keys": alive,
      "present records, old keys": [],
      "present records, present keys": alive,
      "all together": alive,
    });
    for (const name of living)
      assert.deepEqual((await vault.get({ collection: "people", id: name })).document, { of: name, is: "here" });
    assert.equal((await vault.verify({ regions: "each" })).findings.length, 0);
    for (const one of erased) {
      const { certificate, key, recoverable, state } = await erasure.secondStage(one, describe);
      assert.deepEqual([recoverable, state.proof], [[], "proven"]);
      const { facts } = verifyCertificate(certificate ?? "", key);
      assert.equal(facts.stage, 2);
      assert.equal(facts.person, one);
      assert.equal(facts.holdsFrom, state.holdsFrom);
      assert.deepEqual([...new Set(facts.wrappingKeys.map((wrapping) => wrapping.state))], ["gone"]);
      assert.ok(facts.remains.every(({ diesWith }) => diesWith !== "second-stage"));
    }
    // Of whoever is erased now the present generation counts, whose keys are there.
    const { person: late } = await erasure.erase(living[0]!, { reason: "art-17" });
    const after = await erasure.secondStage(late, describe);
    assert.deepEqual([after.certificate, after.state.generation, after.state.present], [null, 2, 2]);
  });

/** Each has two records, one of them with two versions. */
async function withPeople(vault: Vault): Promise<readonly string[]> {
  const names = Array.from({ length: PEOPLE }, (_, n) => `person-${String(n).padStart(3, "0")}`);
  const put = (collection: string, is: string): Promise<unknown> =>
    vault.putMany(
      collection,
      names.map((name) => ({ id: name, document: { of: name, is }, subject: name })),
      { onExisting: "replace" },
    );
  await put("people", "before");
  await put("people", "here");
  return names;
}
