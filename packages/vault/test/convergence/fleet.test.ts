/**
 * The fleet: what processes say of themselves, and what becomes of notes that a hand, a clock or a death left there.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import {
  ALIVE_MS,
  ANNOUNCE_EVERY_MS,
  FleetAnnouncer,
  fleetNoteText,
  parseFleetNote,
  processName,
  readFleet,
  workersAlive,
} from "../../src/convergence/fleet.ts";
import type { FleetNote } from "../../src/convergence/fleet.ts";
import type { FleetSeen } from "../../src/convergence/plan-problems.ts";
import type { Note, Notes } from "../../src/stores/notes.ts";
import { memoryStore } from "@strongroom/vault/memory";
import { movableTime } from "../support/key-sets.ts";

const [OLD, NEW, OTHER] = ["a".repeat(64), "b".repeat(64), "c".repeat(64)] as const;
const [SCOPES, OTHER_SCOPES] = ["d".repeat(64), "e".repeat(64)] as const;
const NOW = Date.parse("2027-01-01T12:00:00.000Z");
const ago = (ms: number): string => new Date(NOW - ms).toISOString();
const DAY_MS = 24 * 3600 * 1000;

const noteOf = (process: string, note: Partial<FleetNote> = {}): Note => ({
  name: `fleet/${process}`,
  text: fleetNoteText({ at: ago(0), records: [OLD, NEW], keys: [OLD], scopes: SCOPES, works: false, ...note }),
});
const digests = { inForce: { records: OLD, keys: null }, declared: { records: NEW }, scopes: SCOPES };
const seen = (notes: readonly Note[]): FleetSeen => readFleet(notes, digests, NOW);

interface Case {
  readonly of: string;
  readonly note: Partial<FleetNote>;
  readonly is: readonly [isAlive: boolean, knowsInForce: boolean, knowsDeclared: boolean];
}

const CASES: readonly Case[] = [
  { of: "one that knows both sets", note: {}, is: [true, true, true] },
  { of: "one that knows the old one", note: { records: [OLD] }, is: [true, true, false] },
  { of: "one that knows neither", note: { records: [OTHER] }, is: [true, false, false] },
  { of: "one that was not heard of for a minute", note: { at: ago(ALIVE_MS) }, is: [false, true, true] },
  { of: "one that was heard of a moment before that", note: { at: ago(ALIVE_MS - 1) }, is: [true, true, true] },
  {
    of: "one that is ahead, as the reader's clock was set back",
    note: { at: ago(-2 * DAY_MS) },
    is: [true, true, true],
  },
];

for (const { of, note, is } of CASES)
  test(`a process: ${of}`, () => {
    const [member] = seen([noteOf("p", note)]).members;
    assert.deepEqual([member?.isAlive, member?.knowsInForce, member?.knowsDeclared], is);
  });

test("a process that declares other scopes is told from one that does not", () => {
  const { members } = seen([noteOf("p"), noteOf("q", { scopes: OTHER_SCOPES })]);
  assert.deepEqual(
    members.map(({ declaresScopes }) => declaresScopes),
    [true, false],
  );
});

const strange: readonly (readonly [of: string, text: string])[] = [
  ["no JSON", "{"],
  ["a number", "1"],
  ["null", "null"],
  ["nothing of it", "{}"],
  ["a further member", JSON.stringify({ at: ago(0), records: [], keys: [], scopes: SCOPES, works: true, more: 1 })],
  [
    "a digest of a million characters",
    fleetNoteText({ at: ago(0), records: ["a".repeat(1_000_000)], keys: [], scopes: SCOPES, works: true }),
  ],
  [
    "a digest that is none",
    fleetNoteText({ at: ago(0), records: ["\u001b[2J"], keys: [], scopes: SCOPES, works: true }),
  ],
  [
    "more digests than anybody knows",
    JSON.stringify({ at: ago(0), records: Array(17).fill(OLD), keys: [], scopes: SCOPES, works: true }),
  ],
  ["no scopes", JSON.stringify({ at: ago(0), records: [], keys: [], works: true, word: 1 })],
  ["scopes that are no digest", fleetNoteText({ at: ago(0), records: [], keys: [], scopes: "subject", works: true })],
  ["a date that is none", fleetNoteText({ at: "yesterday", records: [], keys: [], scopes: SCOPES, works: true })],
  [
    "a date beyond all",
    fleetNoteText({ at: "9999-99-99T99:99:99.999Z", records: [], keys: [], scopes: SCOPES, works: true }),
  ],
  ["a prototype", `{"__proto__":{},"at":"${ago(0)}","records":[],"keys":[],"works":true}`],
];

for (const [of, text] of strange)
  test(`a note with ${of} is no member, and is not taken for agreement`, () => {
    assert.equal(parseFleetNote(text), null);
    assert.deepEqual(seen([{ name: "fleet/x", text }]), { members: [], unknown: 1 });
    assert.equal(workersAlive([{ name: "fleet/x", text }], NOW), 0);
  });

test("as many notes as a list has may not be all", () => {
  const notes = Array.from({ length: 1000 }, (_, index) => noteOf(`p-${index}`));
  assert.equal(seen(notes.slice(1)).unknown, 0);
  assert.equal(seen(notes).unknown, 1);
});

test("who works is counted, and the dead and those of a clock that is far off are not", () => {
  const works = [{}, { at: ago(ALIVE_MS) }, { at: ago(-2 * ALIVE_MS) }, { works: false }];
  assert.equal(
    workersAlive(
      works.map((note, index) => noteOf(`p-${index}`, { works: true, ...note })),
      NOW,
    ),
    1,
  );
});

test("a host's name does not decide what a note is called", () => {
  assert.match(processName(`Ada's MacBook/../x_${"y".repeat(200)}`, 4_194_304, "0d6b2c1e-6f0a"), /^[a-z0-9.-]{1,70}$/);
});

interface Announced {
  readonly announcer: FleetAnnouncer;
  readonly notes: Notes;
  /** Moves the clock on, and has the next turn begun. */
  readonly later: (ms: number) => Promise<void>;
  readonly says: { records: readonly string[]; works: boolean };
  readonly slept: number[];
}

/** Waits end when the test says so. */
async function announced(notes: Notes, process = "p"): Promise<Announced> {
  let now = NOW;
  let wake = (): void => undefined;
  const slept: number[] = [];
  const says = { records: [OLD] as readonly string[], works: false };
  const announcer = new FleetAnnouncer({
    notes,
    process,
    clock: () => new Date(now),
    says: () => ({ ...says, keys: [], scopes: SCOPES }),
    sleep: (ms, signal) =>
      new Promise((resolve) => {
        slept.push(ms);
        wake = resolve;
        signal.addEventListener("abort", () => {
          resolve();
        });
      }),
  });
  const rested = async (times: number): Promise<void> => {
    while (slept.length < times) await new Promise(setImmediate);
  };
  await rested(1);
  return {
    announcer,
    notes,
    says,
    slept,
    later: async (ms) => {
      now += ms;
      const times = slept.length;
      wake();
      await rested(times + 1);
    },
  };
}

const textOf = async (notes: Notes, process = "p"): Promise<FleetNote | null> => {
  const found = (await notes.list("fleet/")).find(({ name }) => name === `fleet/${process}`);
  return found === undefined ? null : parseFleetNote(found.text);
};

test("a process says that it is alive from when it is opened until it is closed, and at once when something changes", async () => {
  const { announcer, notes, later, says, slept } = await announced(memoryStore().notes);
  assert.deepEqual(await textOf(notes), {
    ...{ at: ago(0), records: [OLD], keys: [], scopes: SCOPES, works: false },
  });
  await later(ANNOUNCE_EVERY_MS);
  assert.equal((await textOf(notes))?.at, ago(-ANNOUNCE_EVERY_MS));
  says.records = [OLD, NEW];
  says.works = true;
  announcer.changed();
  while (slept.length < 3) await new Promise(setImmediate);
  assert.deepEqual((await textOf(notes))?.records, [OLD, NEW]);
  assert.deepEqual(slept, [ANNOUNCE_EVERY_MS, ANNOUNCE_EVERY_MS, ANNOUNCE_EVERY_MS]);
  await announcer.close();
  assert.equal(await textOf(notes), null);
});

test("a note that somebody took away or wrote over is written anew", async () => {
  const { announcer, notes, later } = await announced(memoryStore().notes);
  const own = (await notes.list("fleet/"))[0]!;
  await notes.replace(own.name, null, own.text);
  await later(1);
  assert.equal((await textOf(notes))?.at, ago(-1));
  const again = (await notes.list("fleet/"))[0]!;
  await notes.replace(own.name, "x", again.text);
  await later(1);
  assert.equal((await textOf(notes))?.at, ago(-2));
  await announcer.close();
  assert.deepEqual(await notes.list("fleet/"), []);
});

test("notes that are a day old go, those of the living stay, and what nobody can read goes when nobody writes it", async (t) => {
  const time = movableTime(t);
  const { notes } = memoryStore();
  const put = async ({ name, text }: Note): Promise<void> => {
    await notes.replace(name, text, null);
  };
  await put(noteOf("dead", { at: ago(DAY_MS + 1) }));
  await put(noteOf("ahead", { at: ago(-DAY_MS - 1) }));
  await put(noteOf("tired", { at: ago(DAY_MS - 1) }));
  await put({ name: "fleet/strange", text: "{}" });
  await put({ name: "fleet/later-version", text: "1" });
  const { announcer, later } = await announced(notes);
  const names = async (): Promise<readonly string[]> => (await notes.list("fleet/")).map(({ name }) => name.slice(6));
  assert.deepEqual(await names(), ["later-version", "p", "strange", "tired"]);
  time.later(5 * ALIVE_MS);
  await notes.replace("fleet/later-version", "2", "1");
  await later(0);
  assert.deepEqual(await names(), ["later-version", "p", "tired"]);
  await announcer.close();
});

test("two thousand stale notes go in turns, and hide nobody for good", async () => {
  const { notes } = memoryStore();
  for (let index = 0; index < 2_000; index++) {
    const { name, text } = noteOf(`old-${index}`, { at: ago(2 * DAY_MS) });
    await notes.replace(name, text, null);
  }
  const { announcer, later } = await announced(notes, "zzz");
  assert.equal(readFleet(await notes.list("fleet/"), digests, NOW).unknown, 1);
  for (let turn = 0; turn < 40; turn++) await later(1);
  assert.deepEqual(
    (await notes.list("fleet/")).map(({ name }) => name),
    ["fleet/zzz"],
  );
  await announcer.close();
});

test("a store that fails ends nothing: it is said again later", async () => {
  const { notes } = memoryStore();
  let fails = true;
  const failing: Notes = {
    list: (prefix) => (fails ? Promise.reject(new Error("away")) : notes.list(prefix)),
    replace: (...given) => (fails ? Promise.reject(new Error("away")) : notes.replace(...given)),
  };
  const { announcer, later } = await announced(failing);
  assert.equal(await textOf(notes), null);
  fails = false;
  await later(1);
  assert.equal((await textOf(notes))?.at, ago(-1));
  await announcer.close();
});
