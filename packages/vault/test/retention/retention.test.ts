/**
 * What has stayed as long as its collection declares goes, over a year of a clock of the test's own, and nothing that
 * is held does.
 */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { rejectsWith } from "../support/errors.ts";
import { auditedVault } from "../support/audited-vault.ts";
import { overlaid } from "../support/store-with.ts";
import { endOf, parsePeriod } from "../../src/collections/period.ts";
import type { RetentionReport } from "../../src/retention/retention.ts";

const DAY = 86_400_000;
const START = Date.parse("2026-01-31T12:00:00.000Z");

const COLLECTIONS = {
  visits: { retention: { after: 90 } },
  contracts: { retention: { after: "P6M", from: "contract.ended" } },
  sealed: { ids: "sealed", retention: { after: "P1M" }, purposes: ["support"] },
  kept: {},
} as const;

function clockAt() {
  const clock = { now: START };
  return { clock: () => new Date(clock.now), pass: (ms: number) => (clock.now += ms) };
}

const counts = ({ collections }: RetentionReport) =>
  Object.fromEntries(collections.map(({ collection, due, removed, held }) => [collection, [due, removed, held]]));

describe("a year", () => {
  test("everything that is due goes on its day, nothing else does, and nothing that is held", async (t) => {
    const { clock, pass } = clockAt();
    const { vault, entries } = await auditedVault(t, { collections: COLLECTIONS, clock });
    const clerk = vault.as({ principal: "clerk", purpose: "support" });
    const ended = new Map<string, number>();
    const visited = new Map<string, number>();
    const held = new Set<string>();
    const holds = new Map<string, string>();
    const lifted = new Set<string>();
    for (let day = 0; day < 365; day += 5) {
      const id = String(day);
      const subject = `person-${day}`;
      await vault.put({ collection: "visits", id }, { day }, { subject });
      visited.set(id, day);
      const end = new Date(START + (day + 30) * DAY).toISOString().slice(0, 10);
      await vault.put({ collection: "contracts", id }, { contract: { ended: end } }, { subject });
      ended.set(id, endOf(parsePeriod("P6M")!, Date.parse(end)));
      await clerk.put({ collection: "sealed", id: `s-${id}` }, { day }, { subject });
      if (day % 25 === 0) {
        if (day % 50 === 0) await vault.subjects.restrict(subject);
        else holds.set(id, (await vault.erasure!.hold(subject, { reason: "litigation" })).id);
        held.add(id);
      }
      // A hold is lifted after 200 days, and what it kept is due at once.
      const [oldest, hold] = [...holds][0] ?? ["0", ""];
      if (hold !== "" && day - Number(oldest) >= 200) {
        await vault.erasure!.liftHold(hold, { reason: "settled" });
        holds.delete(oldest);
        held.delete(oldest);
        lifted.add(oldest);
      }
      const now = clock().getTime();
      const plan = await vault.retention.plan();
      const report = await vault.retention.run();
      for (const [index, line] of report.collections.entries()) {
        assert.deepEqual(line.failed, {});
        assert.equal(plan.collections[index]!.due, line.due, "the plan said it");
        assert.equal(plan.collections[index]!.removed, 0);
        assert.equal(line.due, line.removed + line.held);
      }
      const left = async (collection: string) =>
        new Set(
          (await (collection === "sealed" ? clerk : vault).list(collection, { limit: 1000 })).items.map(
            (item) => item.id,
          ),
        );
      const expectedVisits = [...visited].filter(([id, on]) => held.has(id) || day - on < 90).map(([id]) => id);
      assert.deepEqual(await left("visits"), new Set(expectedVisits));
      const expected = [...ended].filter(([id, until]) => held.has(id) || until > now).map(([id]) => id);
      assert.deepEqual(await left("contracts"), new Set(expected));
      pass(5 * DAY);
    }
    assert.ok(held.size > 8 && holds.size > 2 && lifted.size > 2 && ended.size - held.size > 40);
    const removals = await entries("remove");
    assert.ok(removals.length > 100);
    assert.ok(removals.every(({ principal }) => principal === "strongroom:retention"));
    for (const id of held) await vault.subjects.release(`person-${id}`);
    for (const hold of holds.values()) await vault.erasure!.liftHold(hold, { reason: "settled" });
    pass(400 * DAY);
    await vault.retention.run();
    for (const collection of ["visits", "contracts"]) assert.equal((await vault.list(collection)).items.length, 0);
    assert.equal((await clerk.list("sealed")).items.length, 0);
    assert.deepEqual((await vault.audit!.verify()).problems, []);
  });
});

test("what is written again, or has no date, stays; and a date that is none is counted", async (t) => {
  const { clock, pass } = clockAt();
  const { vault } = await auditedVault(t, { collections: COLLECTIONS, clock });
  await vault.put({ collection: "visits", id: "1" }, {}, { subject: "ada" });
  for (const [id, ended] of [{ ended: "2020-01-01" }, 5, "soon", "2020-13-40", "01/02/2020", null].entries())
    await vault.put({ collection: "contracts", id: String(id) }, { contract: { ended } }, { subject: "ada" });
  pass(89 * DAY);
  await vault.put({ collection: "visits", id: "1" }, {});
  pass(89 * DAY);
  const report = await vault.retention.run();
  assert.deepEqual(counts(report), { contracts: [0, 0, 0], sealed: [0, 0, 0], visits: [0, 0, 0] });
  assert.equal(report.collections.find(({ collection }) => collection === "contracts")!.undated, 6);
});

test("who is held stays, also where only an older version is about them", async (t) => {
  const { clock, pass } = clockAt();
  const { vault, store } = await auditedVault(t, { collections: COLLECTIONS, clock });
  await vault.put({ collection: "visits", id: "1" }, {}, { subject: "ada" });
  await vault.put({ collection: "visits", id: "1" }, {}, { subject: "bob", repoint: true });
  await vault.put({ collection: "visits", id: "2" }, {}, { subject: "bob" });
  await vault.subjects.restrict("ada");
  pass(91 * DAY);
  assert.deepEqual(counts(await vault.retention.run())["visits"], [2, 1, 1]);
  assert.deepEqual(
    (await vault.list("visits")).items.map(({ id }) => id),
    ["1"],
  );
  assert.equal((await store.subjects.newest(10)).length, 2);
});

test("a hold whose note somebody takes away keeps what it kept: the audit has it", async (t) => {
  const { clock, pass } = clockAt();
  const { vault, store } = await auditedVault(t, { collections: COLLECTIONS, clock });
  for (const id of ["1", "2"]) await vault.put({ collection: "visits", id }, {}, { subject: `p${id}`, about: ["ada"] });
  await vault.put({ collection: "visits", id: "3" }, {}, { subject: "bob" });
  const { person } = await vault.erasure!.hold("ada", { reason: "litigation" });
  await vault.audit!.sequence();
  const [note] = await store.notes.list(`person/${person}`);
  await store.notes.replace(note!.name, null, note!.text);
  pass(91 * DAY);
  // Not in another process: one that opens puts the note back.
  assert.deepEqual(counts(await vault.retention.plan())["visits"], [3, 0, 2]);
  assert.deepEqual(counts(await vault.retention.run())["visits"], [3, 1, 2]);
  assert.deepEqual(new Set((await vault.list("visits")).items.map(({ id }) => id)), new Set(["1", "2"]));
});

test("retention by itself begins when it is known again who is held", async (t) => {
  const { clock, pass } = clockAt();
  const { vault, another, store } = await auditedVault(t, { collections: COLLECTIONS, clock });
  for (const subject of ["ada", "bob"]) await vault.put({ collection: "visits", id: subject }, {}, { subject });
  const { person } = await vault.erasure!.hold("ada", { reason: "litigation" });
  await vault.audit!.sequence();
  const [note] = await store.notes.list(`person/${person}`);
  await store.notes.replace(note!.name, null, note!.text);
  pass(91 * DAY);
  const faults: unknown[] = [];
  await another({ retention: { lookMs: 10, onFault: (fault) => faults.push(fault) } });
  const left = async () => (await vault.list("visits")).items.map(({ id }) => id);
  for (let tries = 0; tries < 200 && (await left()).length > 1; tries++) await delay(10);
  assert.deepEqual(await left(), ["ada"]);
  assert.deepEqual(faults, []);
});

test("a program that declares other collections puts none off", async (t) => {
  const { clock, pass } = clockAt();
  let isKilled = true;
  const { vault, another } = await auditedVault(t, {
    collections: COLLECTIONS,
    clock,
    alter: (own) =>
      overlaid(own, {
        jobs: overlaid(own.jobs, {
          lease: (request) => (isKilled ? Promise.reject(new Error("killed")) : own.jobs.lease(request)),
        }),
      }),
  });
  await vault.put({ collection: "visits", id: "1" }, {}, { subject: "ada" });
  await vault.put({ collection: "contracts", id: "1" }, { contract: { ended: "2020-01-01" } }, { subject: "ada" });
  pass(91 * DAY);
  await assert.rejects(() => vault.retention.run(), /killed/);
  isKilled = false;
  const other = await another({ collections: { visits: COLLECTIONS.visits } });
  assert.deepEqual(counts(await other.retention.run()), { visits: [1, 1, 0] });
  await another({ retention: { lookMs: 10 } });
  const left = async () => (await vault.list("contracts")).items.length;
  for (let tries = 0; tries < 200 && (await left()) > 0; tries++) await delay(10);
  assert.equal(await left(), 0);
});

test("a run that is killed in the middle is gone on with, and two at a time remove each record once", async (t) => {
  const { clock, pass } = clockAt();
  let killAfter = Infinity;
  const { vault, another, entries } = await auditedVault(t, {
    collections: { visits: COLLECTIONS.visits },
    clock,
    alter: (own) =>
      overlaid(own, {
        jobs: overlaid(own.jobs, {
          save: (...given) => (--killAfter < 0 ? Promise.reject(new Error("killed")) : own.jobs.save(...given)),
        }),
      }),
  });
  const items = Array.from({ length: 350 }, (_, index) => ({
    id: `v${index}`,
    document: {},
    subject: `p${index % 7}`,
  }));
  await vault.putMany("visits", items, { onExisting: "replace" });
  pass(91 * DAY);
  killAfter = 1;
  await assert.rejects(() => vault.retention.run(), /killed/);
  const left = (await vault.list("visits", { limit: 1000 })).items.length;
  assert.ok(left > 0 && left < 350, `${left} left`);
  killAfter = Infinity;
  const other = await another();
  const during = await other.retention.run();
  assert.equal(during.collections[0]!.outcome, "elsewhere", "its lease is not over yet");
  const stop = new AbortController();
  stop.abort();
  await rejectsWith("aborted", () => other.retention.run({ signal: stop.signal }));
  assert.equal((await entries("remove")).length, 350 - left);
});

test("periods go by the calendar", () => {
  const ends = (period: string | number, from: string) =>
    new Date(endOf(parsePeriod(period)!, Date.parse(from))).toISOString();
  assert.equal(ends("P2Y", "2024-02-29T01:00:00.000Z"), "2026-02-28T01:00:00.000Z");
  assert.equal(ends("P1M", "2026-01-31T00:00:00.000Z"), "2026-02-28T00:00:00.000Z");
  assert.equal(ends("P1Y2M10D", "2025-12-31T00:00:00.000Z"), "2027-03-10T00:00:00.000Z");
  assert.equal(ends("P2W", "2026-01-31T00:00:00.000Z"), "2026-02-14T00:00:00.000Z");
  assert.equal(ends(1, "2026-12-31T23:00:00.000Z"), "2027-01-01T23:00:00.000Z");
  for (const none of ["P", "P0D", 0, -1, 1.5, "P1H", "PT1H", "2Y", "P-1D", "P9999Y", "", null, {}, "P1Y ", Infinity])
    assert.equal(parsePeriod(none), null, JSON.stringify(none));
});
