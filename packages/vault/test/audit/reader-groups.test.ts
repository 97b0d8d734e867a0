/**
 * What is given out has an entry first: groups of them, and an outbox that is full, lost, slow, or forgets to answer.
 */
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { test } from "node:test";
import type { TestContext } from "node:test";
import { VaultError } from "@strongroom/vault";
import type { VaultErrorCode } from "@strongroom/vault";
import type { EntryText } from "../../src/audit/entry.ts";
import { READS_TOGETHER } from "../../src/audit/reads-together.ts";
import { newPeople } from "../../src/store-contract/people.ts";
import { actor, audited, deferred, madeUpRead } from "../support/audited.ts";
import type { Audited } from "../support/audited.ts";
import { rejectsWith } from "../support/errors.ts";

/** That every stream has its numbers one after the other from 1. */
function requireNoHoles(entries: readonly EntryText[]): void {
  const last = new Map<string, number>();
  for (const { stream, number } of entries) {
    assert.equal(number, (last.get(stream) ?? 0) + 1, stream);
    last.set(stream, number);
  }
}

const reads = async ({ waiting }: Audited): Promise<readonly EntryText[]> =>
  (await waiting()).filter(({ action }) => action === "read");

/** How many reads entries tell of. */
const readsIn = (entries: readonly EntryText[]): number =>
  entries.reduce((sum, { records = [] }) => sum + records.length, 0);

/** An audit whose outbox takes nothing from `hold` on, until `resume`. */
async function held(t: TestContext): Promise<{ readonly audit: Audited; hold: () => void; resume: () => void }> {
  const gate = deferred();
  let isHeld = false;
  const audit = await audited(t, {
    outbox: (outbox) => ({
      append: async (entries, active) => {
        if (isHeld) await gate.promise;
        return outbox.append(entries, active);
      },
    }),
  });
  const hold = (): void => {
    isHeld = true;
  };
  return { audit, hold, resume: gate.resolve };
}

/** Somebody with a record each. */
async function people(audit: Audited, count: number): Promise<ReturnType<typeof newPeople>> {
  const all = newPeople(count);
  for (const [index, person] of all.entries()) await audit.write(`of-${index}`, [person]);
  return all;
}

test("3,000 reads at once are a few groups, each read in an entry, and no number is missing", async (t) => {
  const sizes: number[] = [];
  const audit = await audited(t, {
    outbox: (outbox) => ({
      append: async (entries, active) => {
        sizes.push(entries.length);
        return outbox.append(entries, active);
      },
    }),
  });
  await people(audit, 10);
  const some = await Promise.all(Array.from({ length: 10 }, (_, index) => audit.read(`of-${index}`)));
  sizes.length = 0;
  const all = Array.from({ length: 3_000 }, (_, n) => audit.auditor.released("read", [some[n % 10]!]));
  assert.deepEqual(new Set(await Promise.all(all)), new Set(["released"]));
  const written = sizes.reduce((sum, size) => sum + size, 0);
  // The log is asked of 1,000 at once.
  assert.equal(written, 3 * Math.ceil(1_000 / READS_TOGETHER));
  assert.ok(sizes.length <= 16 && Math.max(...sizes) <= 256 / READS_TOGETHER, JSON.stringify(sizes));
  assert.deepEqual(audit.opened.groups(), { appends: sizes.length, entries: written });
  assert.equal(readsIn(await reads(audit)), 3_000);
  const entries = await audit.waiting();
  requireNoHoles(entries);
  assert.equal(new Set(entries.map(({ id }) => id)).size, entries.length);
});

test("of readers that come together a half goes first, so that some work while others' entries are written", async (t) => {
  const sizes: number[] = [];
  const audit = await audited(t, {
    outbox: (outbox) => ({
      append: async (entries, active) => {
        sizes.push(entries.length);
        return outbox.append(entries, active);
      },
    }),
  });
  await people(audit, 1);
  const some = await audit.read("of-0");
  sizes.length = 0;
  const again = async (): Promise<void> => {
    for (let turn = 0; turn < 5; turn++) await audit.auditor.released("read", [some]);
  };
  await Promise.all(Array.from({ length: 64 }, again));
  assert.deepEqual(
    sizes,
    Array.from({ length: 10 }, () => 32 / READS_TOGETHER),
  );
  sizes.length = 0;
  const callers = Array.from({ length: 8 }, (_, index) => audit.auditor.as(actor(`token:${index}`)));
  await Promise.all(callers.map((caller) => caller.released("read", [some])));
  assert.deepEqual(sizes, [8], "few go together");
});

test("who is restricted between the read and its entry is told alone, and leaves no hole", async (t) => {
  const { audit, hold, resume } = await held(t);
  const [ada, ben, cy] = await people(audit, 40);
  const some = await Promise.all(Array.from({ length: 40 }, (_, index) => audit.read(`of-${index}`)));
  hold();
  const all = some.map((read) => audit.auditor.released("read", [read]).catch((error: unknown) => error));
  await audit.store.subjects.setState({ id: ada!, from: ["active"], to: "restricted" });
  for (const to of ["erasing", "erased"] as const)
    await audit.store.subjects.setState({ id: ben!, from: ["active", "erasing"], to });
  resume();
  const told = await Promise.all(all);
  const codes = told.map((one) => (one instanceof VaultError ? one.code : one));
  const expected: unknown[] = Array.from({ length: 40 }, () => "released");
  [expected[0], expected[1]] = ["subject-restricted", "subject-erased"];
  assert.deepEqual(codes, expected);
  assert.equal(readsIn(await reads(audit)), 38);
  requireNoHoles(await audit.waiting());
  assert.ok(cy !== undefined);
});

test("a page that is about somebody who is closed has no entry at all", async (t) => {
  const audit = await audited(t);
  const [, ben] = await people(audit, 3);
  const page = await Promise.all([0, 1, 2].map((index) => audit.read(`of-${index}`)));
  await audit.store.subjects.setState({ id: ben!, from: ["active"], to: "restricted" });
  await rejectsWith("subject-restricted", () => audit.auditor.released("history", page));
  assert.deepEqual(
    (await audit.waiting()).filter(({ action }) => action === "history"),
    [],
  );
});

test("somebody without a row is no reason for another's read to fail", async (t) => {
  const audit = await audited(t);
  await people(audit, 1);
  const [nobody] = newPeople(1);
  const whole = audit.auditor.released("read", [await audit.read("of-0")]);
  await rejectsWith("record-tampered", () => audit.auditor.released("read", [madeUpRead("none", nobody!)]));
  assert.equal(await whole, "released");
});

for (const code of ["store-full", "store-failed", "store-altered", "outcome-unknown"] as readonly VaultErrorCode[])
  test(`an outbox that answers ${code} gives nothing out, and everything again once it is over`, async (t) => {
    let isBroken = false;
    const broken = (): Promise<never> => Promise.reject(new VaultError(code, "broken"));
    const audit = await audited(t, {
      outbox: (outbox) => ({
        append: (...args) => (isBroken ? broken() : outbox.append(...args)),
        streams: (...args) => (isBroken ? broken() : outbox.streams(...args)),
      }),
    });
    await people(audit, 2);
    const read = await audit.read("of-0");
    await audit.auditor.released("read", [read]);
    isBroken = true;
    const all = Array.from({ length: 300 }, () =>
      rejectsWith("audit-unavailable", () => audit.auditor.released("read", [read])),
    );
    const [error] = await Promise.all(all);
    assert.equal((error?.cause as VaultError).code, code);
    await rejectsWith("audit-unavailable", () => audit.auditor.tell("verify", "done"));
    let isDone = false;
    await rejectsWith("audit-unavailable", () =>
      audit.auditor.act("restrict", {}, async () => {
        isDone = true;
        return Promise.resolve();
      }),
    );
    assert.equal(isDone, false, "nothing is done without an entry");
    isBroken = false;
    assert.equal(await audit.auditor.released("read", [read]), "released");
    assert.equal((await reads(audit)).length, 2);
    requireNoHoles(await audit.waiting());
  });

test("an append whose answer was lost is asked for: what was written is given out, once", async (t) => {
  let loses = 0;
  const audit = await audited(t, {
    outbox: (outbox) => ({
      append: async (entries, active) => {
        const result = await outbox.append(entries, active);
        if (loses-- > 0) throw new VaultError("outcome-unknown", "lost");
        return result;
      },
    }),
  });
  await people(audit, 1);
  const read = await audit.read("of-0");
  loses = 3;
  for (let n = 0; n < 5; n++) assert.equal(await audit.auditor.released("read", [read]), "released");
  assert.equal((await reads(audit)).length, 5);
  requireNoHoles(await audit.waiting());
});

test("an append that comes late after all is in a stream that nobody else writes to", async (t) => {
  const late: (() => Promise<unknown>)[] = [];
  let isLost = false;
  const audit = await audited(t, {
    outbox: (outbox) => ({
      append: (entries, active) => {
        if (!isLost) return outbox.append(entries, active);
        late.push(() => outbox.append(entries, active));
        return Promise.reject(new VaultError("outcome-unknown", "lost"));
      },
    }),
  });
  await people(audit, 1);
  const read = await audit.read("of-0");
  await audit.auditor.released("read", [read]);
  isLost = true;
  await rejectsWith("audit-unavailable", () => audit.auditor.released("read", [read]));
  isLost = false;
  assert.equal(await audit.auditor.released("read", [read]), "released");
  for (const commit of late) assert.deepEqual(await commit(), { kind: "made" });
  assert.equal(await audit.auditor.released("read", [read]), "released");
  requireNoHoles(await audit.waiting());
  assert.equal((await reads(audit)).length, 4);
});

test("a stream that was closed while the process was asleep is left for another one", async (t) => {
  const audit = await audited(t);
  await people(audit, 1);
  const read = await audit.read("of-0");
  await audit.auditor.released("read", [read]);
  const [before] = (await reads(audit)).slice(-1);
  await audit.carry();
  await audit.store.outbox.closeStreams([{ stream: before!.stream, last: before!.number }]);
  assert.equal(await audit.auditor.released("read", [read]), "released");
  const [after] = (await reads(audit)).slice(-1);
  assert.deepEqual([after!.number, after!.stream === before!.stream], [1, false]);
  await audit.carry();
  await audit.store.outbox.closeStreams([{ stream: after!.stream, last: 1 }]);
  await audit.write("of-0", newPeople(1));
  const writes = (await audit.waiting()).filter(({ action }) => action === "write");
  assert.equal(writes.at(-1)?.number, 1, "writes too");
});

test("a closed audit ends what was under way, ends its streams, and takes nothing on", async (t) => {
  const { audit, hold, resume } = await held(t);
  await people(audit, 3);
  const read = await audit.read("of-0");
  await audit.auditor.keysMade([{ kind: "subject", version: randomUUID(), person: newPeople(1)[0]! }]);
  hold();
  const all = Array.from({ length: 500 }, () => audit.auditor.released("read", [read]));
  const settled = Promise.allSettled(all);
  // Until the first group is under way.
  for (let n = 0; n < 20; n++) await new Promise(setImmediate);
  const closing = audit.opened.close();
  await rejectsWith("store-closed", () => audit.auditor.released("read", [read]));
  resume();
  await closing;
  const results = await settled;
  const released = results.filter((one) => one.status === "fulfilled").length;
  assert.equal(readsIn(await reads(audit)), released);
  for (const one of results)
    if (one.status === "rejected") assert.equal((one.reason as VaultError).code, "store-closed");
  assert.ok(released > 0);
  for (const outbox of ["records", "keys"] as const) {
    const entries = await audit.waiting(outbox);
    requireNoHoles(entries);
    const streams = new Set(entries.map(({ stream }) => stream));
    const ended = entries.filter(({ ends }) => ends === true).map(({ stream }) => stream);
    // All but the store's own.
    assert.equal(new Set(ended).size, streams.size - 1, outbox);
    assert.equal(entries.filter(({ action, ends }) => action === "close" && ends !== true).length, 1);
  }
});

test("many processes open and close the same stores at once, and each says so", async (t) => {
  const first = await audited(t);
  const more = await Promise.all(
    Array.from({ length: 12 }, () =>
      audited(t, {
        auditor: { store: first.store, keyStore: first.keyStore, keys: first.keys, log: first.log },
      }),
    ),
  );
  await Promise.all(more.map(({ opened }) => opened.close()));
  const entries = await first.waiting();
  requireNoHoles(entries);
  const said = (action: string): number => entries.filter((entry) => entry.action === action).length;
  assert.deepEqual([said("open"), said("close")], [13, 12]);
});

test("a page of 500 people is one entry with a part for each, and each opens to that person's record alone", async (t) => {
  const audit = await audited(t);
  const all = await people(audit, 500);
  const page = await Promise.all(all.map((_, index) => audit.read(`of-${index}`)));
  const caller = audit.auditor.as(actor("token:1", { purpose: "support", ticket: "T-42", export: randomUUID() }));
  assert.equal(await caller.released("list", page), "released");
  const entries = (await audit.waiting()).filter(({ action }) => action === "list");
  assert.equal(entries.length, 1);
  const [entry] = entries;
  assert.deepEqual(
    [entry!.principal, entry!.purpose, entry!.records?.length, entry!.people?.length, entry!.collection],
    ["token:1", "support", 500, 500, "people"],
  );
  const parts = await audit.keys.openParts(entry!.people!.map((person) => ({ entry: entry!.id, person })));
  for (const [index, person] of all.entries())
    assert.deepEqual(parts[index], { subject: person, records: [[`of-${index}`, 1]], ticket: "T-42" });
  const [version] = await audit.keys.versionsOf(`person:${all[7]!}`);
  assert.equal(entry!.people![7]!.key, version);
  const text = JSON.stringify(entry);
  for (const secret of ["of-7", all[7]!, "T-42"]) assert.ok(!text.includes(`"${secret}`), secret);
});

test("a page that is too much for one entry is several, all of them written before it is given out", async (t) => {
  const audit = await audited(t);
  const [ada, ...others] = newPeople(32);
  await audit.write("crowd", [ada!, ...others.slice(0, 31)]);
  const read = await audit.read("crowd");
  assert.equal(
    await audit.auditor.released(
      "list",
      Array.from({ length: 1_100 }, () => read),
    ),
    "released",
  );
  const entries = (await audit.waiting()).filter(({ action }) => action === "list");
  assert.ok(entries.length >= 3);
  assert.equal(
    entries.reduce((sum, { records = [] }) => sum + records.length, 0),
    1_100,
  );
});
