/**
 * Reads that come together are told in one entry: those of one caller, and each as well as if it were alone.
 */
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { test } from "node:test";
import type { TestContext } from "node:test";
import { VaultError, verifyAccessLog } from "@strongroom/vault";
import type { SubjectId } from "@strongroom/vault";
import type { ReleasedRead } from "../../src/audit/auditor.ts";
import type { EntryText } from "../../src/audit/entry.ts";
import { READS_TOGETHER } from "../../src/audit/reads-together.ts";
import { newPeople } from "../../src/store-contract/people.ts";
import { actor, audited } from "../support/audited.ts";
import type { Audited, AuditedOptions } from "../support/audited.ts";
import { auditedVault } from "../support/audited-vault.ts";

interface Read extends Audited {
  readonly people: readonly SubjectId[];
  readonly some: readonly ReleasedRead[];
}

/** Somebody with a record each, and a read of each. */
async function read(t: TestContext, count: number, options: AuditedOptions = {}): Promise<Read> {
  const audit = await audited(t, options);
  const people = newPeople(count);
  for (const [index, person] of people.entries()) await audit.write(`of-${index}`, [person]);
  return { ...audit, people, some: await Promise.all(people.map((_, index) => audit.read(`of-${index}`))) };
}

const told = async ({ waiting }: Audited): Promise<readonly EntryText[]> =>
  (await waiting()).filter(({ action }) => action === "read");

test("reads of one caller at once are one entry with a part for each, which opens to that person's record alone", async (t) => {
  const audit = await read(t, 5);
  const caller = audit.auditor.as(actor("token:1", { purpose: "support", ticket: "T-42" }));
  await Promise.all(audit.some.map((one) => caller.released("read", [one])));
  const [entry, ...others] = await told(audit);
  assert.deepEqual([others, entry?.records?.length, entry?.people?.length], [[], 5, 5]);
  const parts = await audit.keys.openParts(entry!.people!.map((person) => ({ entry: entry!.id, person })));
  for (const [index, person] of audit.people.entries())
    assert.deepEqual(parts[index], { subject: person, records: [[`of-${index}`, 1]], ticket: "T-42" });
});

test("one entry says one caller, purpose, ticket, export and collection, and is of so many reads at most", async (t) => {
  const audit = await read(t, 1);
  const [one] = audit.some;
  const callers = [
    actor("token:1"),
    actor("token:2"),
    actor("token:1", { purpose: "support" }),
    actor("token:1", { ticket: "T-1" }),
    actor("token:1", { ticket: "T-2" }),
    actor("token:1", { export: randomUUID() }),
  ].map((caller) => audit.auditor.as(caller));
  await Promise.all([
    ...callers.flatMap((caller) => [caller.released("read", [one!]), caller.released("read", [one!])]),
    // The log knows nothing of it, which is no reason for the others to fail.
    callers[0]!.released("read", [{ ...one!, row: { collection: "others", id: "1" } as never }]).catch(String),
  ]);
  const entries = await told(audit);
  assert.deepEqual(
    entries.filter(({ collection }) => collection === one!.row.collection).map(({ records }) => records?.length),
    callers.map(() => 2),
  );
  assert.deepEqual(new Set(entries.map(({ principal }) => principal)), new Set(["token:1", "token:2"]));
  await Promise.all(Array.from({ length: READS_TOGETHER + 1 }, () => audit.auditor.released("read", [one!])));
  const sizes = (await told(audit)).slice(entries.length).map(({ records }) => records?.length);
  assert.deepEqual(sizes, [READS_TOGETHER, 1]);
});

test("a read for which a KMS was asked has an entry alone, which names the request", async (t) => {
  const audit = await read(t, 2);
  const kms = [{ region: "eu-central-1", key: "key-1", requestId: "request-1" }];
  const [ada, ben] = audit.some;
  await Promise.all([
    audit.auditor.released("read", [ada!]),
    audit.auditor.released("read", [{ ...ben!, kms }]),
    audit.auditor.released("read", [ada!]),
  ]);
  const entries = await told(audit);
  assert.deepEqual(
    entries.map(({ records, kms: calls }) => [records?.length, calls]).sort(([a], [b]) => Number(a) - Number(b)),
    [
      [1, kms],
      [2, undefined],
    ],
  );
});

test("of reads together one that cannot be sealed is refused alone, and the others are given out", async (t) => {
  const audit = await read(t, 4);
  const [, ben] = audit.people;
  const atHand = audit.keys.partKeysAtHand.bind(audit.keys);
  const fetched = audit.keys.partKeys.bind(audit.keys);
  const isBens = (owners: readonly string[]): boolean => owners.includes(`person:${ben!}`);
  t.mock.method(audit.keys, "partKeysAtHand", (owners: readonly never[]) => (isBens(owners) ? null : atHand(owners)));
  t.mock.method(audit.keys, "partKeys", (owners: readonly never[]) =>
    isBens(owners) ? Promise.reject(new VaultError("store-failed", "changed")) : fetched(owners),
  );
  const all = await Promise.allSettled(audit.some.map((one) => audit.auditor.released("read", [one])));
  assert.deepEqual(
    all.map((one) => (one.status === "fulfilled" ? one.value : (one.reason as VaultError).code)),
    ["released", "audit-unavailable", "released", "released"],
  );
  const entries = await told(audit);
  assert.equal(
    entries.reduce((sum, { records = [] }) => sum + records.length, 0),
    3,
  );
});

test("an outbox that is away is asked once for reads together, not once for each", async (t) => {
  let asked = 0;
  let isAway = false;
  const audit = await read(t, 1, {
    outbox: (outbox) => ({
      append: (...args) => {
        asked++;
        return isAway ? Promise.reject(new VaultError("store-failed", "away")) : outbox.append(...args);
      },
    }),
  });
  [asked, isAway] = [0, true];
  const all = await Promise.allSettled(
    Array.from({ length: READS_TOGETHER }, () => audit.auditor.released("read", [audit.some[0]!])),
  );
  assert.ok(all.every((one) => one.status === "rejected" && (one.reason as VaultError).code === "audit-unavailable"));
  assert.equal(asked, 1);
});

test("of reads that were told together a person's access log has that person's record alone, and verifies", async (t) => {
  const { vault, entries } = await auditedVault(t);
  const names = ["ada", "ben", "cy"];
  for (const id of names) await vault.put({ collection: "people", id }, { id }, { subject: `${id}@example.com` });
  await Promise.all(names.map((id) => vault.get({ collection: "people", id })));
  assert.equal((await entries("read")).length, 1, "they were told together");
  await vault.audit!.sequence();
  const { key } = await vault.audit!.status();
  for (const id of names) {
    const file = await vault.audit!.accessLog(`${id}@example.com`);
    const read = file.entries.filter(({ event }) => event.action === "read");
    assert.deepEqual(
      read.map(({ event }) => event.records.map((record) => record.id)),
      [[id]],
    );
    assert.equal(read[0]!.event.people.length, 1, "of the others not even who they are");
    assert.deepEqual(verifyAccessLog(file, { key }).problems, []);
  }
});
