/**
 * Texts whose time is over go, and an entry has said before which ones: whatever else has lost its text is found, and
 * so is what the log's tables say that no entry could have said.
 */
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import test from "node:test";
import { setImmediate } from "node:timers/promises";
import { verifyAuditLog } from "../../src/audit/verify-log.ts";
import type { EntryText } from "../../src/audit/entry.ts";
import { parseEntry } from "../../src/audit/entry-text.ts";
import type { AuditLog } from "../../src/stores/audit-log.ts";
import type { AddressTag, EntryId, StreamId } from "../../src/stores/outbox.ts";
import { at } from "../../src/store-contract/changes.ts";
import { Rig } from "./support/rig.ts";
import type { Lane, TestProcess } from "./support/rig.ts";
import { keep, logTables } from "./support/snapshot.ts";

interface Running {
  readonly rig: Rig;
  readonly one: TestProcess;
  readonly lane: Lane;
}

/** A log in which something was adopted, read, written and removed. */
async function running(): Promise<Running> {
  const rig = new Rig();
  const before = await rig.open();
  await before.write(before.lane(), "adopted", { audited: false });
  await before.write(before.lane(), "adopted and removed", { audited: false });
  const one = await rig.open();
  await one.tellStores("open");
  one.service.start();
  while (!(await one.stores.log.state()).adopted) await setImmediate();
  const lane = one.lane();
  for (let count = 0; count < 12; count++) {
    await one.append(lane, { principal: `token-${count % 3}` });
    await one.write(lane, `person-${count % 4}`, { removes: count === 9 });
  }
  await one.write(lane, "adopted and removed", { removes: true });
  await one.sequence();
  return { rig, one, lane };
}

type Problems = Awaited<ReturnType<typeof verifyAuditLog>>["problems"];

async function problems({ service, stores }: TestProcess, log: AuditLog = stores.log): Promise<Problems> {
  const { key } = await service.status();
  return (await verifyAuditLog(log, { key })).problems;
}

/** Forgets all that there is now, and not what comes later. */
async function forgotten(given: Running): Promise<number> {
  given.rig.pass(1000);
  const gone = await given.one.forget(given.lane);
  given.rig.pass(1000);
  await given.one.sequence();
  return gone;
}

async function entriesOf({ stores: { log } }: TestProcess): Promise<readonly (EntryText | null)[]> {
  const { size } = await log.state();
  const rows = await log.entries({ from: 0, limit: size });
  return rows.map(({ text }) => (text === null ? null : parseEntry(text)));
}

/** As two statements of SQL would do it. */
function takeText({ rig }: Running, ...positions: readonly number[]): void {
  const tables = logTables(rig);
  for (const position of positions) tables.entries[position] = { ...tables.entries[position]!, text: null, people: [] };
  tables.state = { ...tables.state, forgotten: Math.max(...positions) + 1 };
}

test("what goes is said before it goes, and what is kept stays", async () => {
  const given = await running();
  const { size } = await given.one.stores.log.state();
  const gone = await forgotten(given);
  const entries = await entriesOf(given.one);
  const left = entries.flatMap((entry, position) => (entry === null ? [] : [[position, entry.action] as const]));
  assert.deepEqual(
    left.map(([, action]) => action),
    ["adopt", "adopted", "forget", "forget"],
  );
  assert.equal(gone, size - 2);
  const [begun, done] = entries.slice(-2);
  assert.deepEqual([begun?.result, done?.result, done?.details?.["entries"]], ["begun", "done", gone]);
  const [adopt, adopted] = left.map(([position]) => position);
  assert.equal(begun?.details?.["positions"], `0-${adopt! - 1},${adopted! + 1}-${size - 1}`);
  assert.deepEqual(await problems(given.one), []);
  assert.equal(await given.one.forget(given.lane, new Date(0)), 0);
  assert.equal((await entriesOf(given.one)).length, size + 2, "nothing is said where nothing goes");
});

test("a text that somebody has taken away is found, and many are told as one range", async () => {
  const given = await running();
  takeText(given, 7);
  assert.deepEqual(
    (await problems(given.one)).filter(({ code }) => code === "text"),
    [{ code: "text", position: 7, message: "entry 7 has no text, and no later entry says that it was forgotten" }],
  );
  takeText(given, 8, 9, 11);
  const found = (await problems(given.one)).filter(({ code }) => code === "text");
  assert.deepEqual(
    found.map(({ position }) => position),
    [7, 11],
  );
  assert.match(found[0]!.message, /^entries 7-9 have no text/);
});

test("an entry speaks of what is before it alone: a text that was taken away later is found", async () => {
  const given = await running();
  const { size } = await given.one.stores.log.state();
  await given.one.append(given.lane, { action: "forget", result: "begun", details: { positions: `0-${size + 3}` } });
  await given.one.append(given.lane);
  await given.one.append(given.lane);
  await given.one.sequence();
  takeText(given, 1, size + 1);
  const found = (await problems(given.one)).filter(({ code }) => code === "text");
  assert.deepEqual(
    found.map(({ position }) => position),
    [size + 1, (await entriesOf(given.one)).findIndex((entry) => entry?.action === "adopt")],
    "and that it names what is kept is told as well",
  );
});

test("forgetting that ends between saying and doing is done the next time", async () => {
  const given = await running();
  const { one, lane, rig } = given;
  rig.pass(1000);
  const log = { ...one.stores.log, forget: () => Promise.reject(new Error("killed")) };
  await assert.rejects(one.forget(lane, rig.clock(), { log }), /killed/);
  assert.deepEqual(await problems(one), []);
  assert.ok((await forgotten(given)) > 20);
  assert.deepEqual(await problems(one), []);
});

test("nothing goes whose announcement did not come to the log", async () => {
  const given = await running();
  const { one, lane, rig } = given;
  rig.pass(1000);
  // Somebody takes it from the outbox.
  const sequence = async (): Promise<void> => undefined;
  await assert.rejects(one.forget(lane, rig.clock(), { sequence }), { code: "audit-unavailable" });
  await one.sequence();
  assert.ok((await entriesOf(one)).every((entry) => entry !== null));
});

test("what stands beside a text decides nothing: an altered entry keeps its text, and is told", async () => {
  const given = await running();
  const { one, rig, lane } = given;
  const adopted = (await entriesOf(one)).findIndex((entry) => entry?.action === "adopted");
  await one.append(lane, { principal: "young" });
  await one.sequence();
  const tables = logTables(rig);
  const young = tables.entries.length - 1;
  const before = rig.clock();
  tables.entries[adopted] = { ...tables.entries[adopted]!, action: "read" };
  tables.entries[young] = { ...tables.entries[young]!, at: "2020-01-01T00:00:00.000Z" };
  const text = Buffer.from(tables.entries[9]!.text!)
    .toString("utf8")
    .replace(/token-\d/, "somebody");
  tables.entries[9] = { ...tables.entries[9]!, principal: "somebody", text: Buffer.from(text) };
  await one.forget(lane, before);
  const entries = await entriesOf(one);
  assert.deepEqual(
    [adopted, young, 9].map((position) => entries[position] === null),
    [false, false, false],
  );
  assert.deepEqual(
    one.alarms.map(({ code }) => code),
    ["altered"],
  );
});

test("what goes while the log is verified is no problem", async () => {
  const given = await running();
  const { one, lane, rig } = given;
  rig.pass(1000);
  let isFirst = true;
  const log: AuditLog = {
    ...one.stores.log,
    entries: async (range) => {
      if (!isFirst) return one.stores.log.entries(range);
      isFirst = false;
      // The first half has its texts yet, and the second does not any more.
      const rows = await one.stores.log.entries({ from: 0, limit: 10 });
      await one.forget(lane);
      return rows;
    },
  };
  assert.deepEqual(await problems(one, log), []);
});

test("after texts have gone, what entries say must be so yet, and other rows must name one that went", async () => {
  const given = await running();
  const { one, lane, rig } = given;
  await forgotten(given);
  await one.write(lane, "person-0");
  await one.write(lane, "new");
  await one.sequence();
  assert.deepEqual(await problems(one), []);
  const tables = logTables(rig);
  const tagOf = (id: string): AddressTag => rig.keys.tag(at(id));
  const head = (id: string, more: object) => (): void => {
    tables.heads.set(tagOf(id), { ...tables.heads.get(tagOf(id))!, ...more });
  };
  const idOf = (position: number): EntryId => tables.entries[position]!.id;
  const stream = randomUUID() as string as StreamId;
  const changes: Readonly<Record<string, () => void>> = {
    "a head of an entry with a text set back to one that went": head("person-0", { entry: idOf(6) }),
    "the version of a head of an entry with a text": head("new", { version: 7 }),
    "a head of an entry with a text gone": () => void tables.heads.delete(tagOf("new")),
    "a head of one that went names one that never was": head("person-2", { entry: randomUUID() }),
    "a head of one that went names none": head("person-2", { entry: null }),
    "a head of one that went names one with a text": head("person-2", { entry: idOf(tables.entries.length - 1) }),
    "a head that was adopted, at another version": head("adopted", { version: 2 }),
    "a head that was adopted gone": () => void tables.heads.delete(tagOf("adopted")),
    "a head more, of an entry that never was": () =>
      void tables.heads.set("B".repeat(22) as AddressTag, {
        ...tables.heads.get(tagOf("person-2"))!,
        tag: "B".repeat(22) as AddressTag,
        entry: randomUUID() as string as EntryId,
      }),
    "a message of an entry with a text gone": () => void tables.messages.delete(tagOf("new")),
    "a message that was adopted gone": () => void tables.messages.delete(tagOf("adopted")),
    "somebody more in an entry": () => {
      const last = tables.entries.length - 1;
      tables.entries[last] = { ...tables.entries[last]!, people: [randomUUID()] };
    },
    "somebody in an entry that went": () => {
      tables.entries[2] = { ...tables.entries[2]!, people: [randomUUID()] };
    },
    "a stream of an entry with a text set back": () =>
      void tables.known.records.set(lane.stream, { ...tables.known.records.get(lane.stream)!, number: 3 }),
    "a stream of an entry with a text set forward": () =>
      void tables.known.records.set(lane.stream, { ...tables.known.records.get(lane.stream)!, number: 3000 }),
    "a stream of an entry with a text gone": () => void tables.known.records.delete(lane.stream),
  };
  const whole = keep(rig, "log");
  const unseen: string[] = [];
  for (const [name, change] of Object.entries(changes)) {
    change();
    if ((await problems(one)).length === 0) unseen.push(name);
    whole();
  }
  assert.deepEqual(unseen, []);
  // What remains: a row of an entry that went may name another one that went; and which streams those were.
  head("person-2", { entry: idOf(4), version: 1 })();
  tables.known.records.set(stream, { outbox: "records", stream, number: 3, ended: false });
  assert.deepEqual(await problems(one), []);
});

test("what went may have come in any order: what is right is never a problem", async () => {
  const given = await running();
  const { one, lane, rig } = given;
  const idle = one.lane();
  await one.append(idle);
  await one.append(idle, { action: "principal" });
  await one.append(idle);
  // A removal of what was adopted goes, and what comes after it stays.
  await one.write(lane, "adopted", { removes: true });
  await one.write(lane, "person-3", { removes: true });
  await one.sequence();
  const old = new Date(rig.clock());
  await forgotten(given);
  await one.write(lane, "adopted");
  await one.write(lane, "adopted and removed");
  await one.write(lane, "person-3");
  await one.sequence();
  assert.deepEqual(await problems(one), []);
  // A clock that is behind: what comes later in the log is older.
  await one.append(lane, { at: old.toISOString() });
  await one.append(idle, { at: old.toISOString(), ends: true, action: "close" });
  await one.sequence();
  const slow = await rig.open();
  slow.service.start();
  rig.pass(-1_000_000);
  await slow.write(lane, "person-0");
  await slow.write(lane, "person-1", { removes: true });
  await slow.write(lane, "adopted", { removes: true });
  await slow.sequence();
  rig.pass(2_000_000);
  assert.equal(await one.forget(lane, new Date(old.getTime() + 1)), 5);
  await one.sequence();
  assert.deepEqual(await problems(one), []);
  await forgotten(given);
  assert.deepEqual(await problems(one), []);
});
