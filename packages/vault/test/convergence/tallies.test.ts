/**
 * Tallies: what processes have done, summed; neither lost nor doubled by those that die, are taken for dead, or do not
 * hear whether their note was written.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { VaultError } from "@strongroom/vault";
import { memoryStore } from "@strongroom/vault/memory";
import { ALIVE_MS } from "../../src/convergence/fleet.ts";
import {
  addTallies,
  forgetTallies,
  NO_WORK,
  parseTally,
  sumTallies,
  tallyPrefix,
  tallyText,
} from "../../src/convergence/tallies.ts";
import type { Tally } from "../../src/convergence/tallies.ts";
import { TallyKeeper, TallyNote } from "../../src/convergence/tally-note.ts";
import type { Notes } from "../../src/stores/notes.ts";

const RUN = "0d6b2c1e-6f0a-4b7e-9c57-0f3a8a1b2c3d";
const BEGAN = Date.parse("2027-01-01T12:00:00.000Z");
const work = (items: number, more: Partial<Tally> = {}): Omit<Tally, "at"> => ({
  ...NO_WORK,
  calls: [{ region: "eu-west-1", operation: "ReEncrypt", calls: items }],
  done: { add: items },
  bytes: 100 * items,
  seconds: 2,
  rate: items / 2,
  ...more,
});
const tally = (items: number, more: Partial<Tally> = {}): Tally => ({
  ...work(items),
  at: new Date(BEGAN).toISOString(),
  ...more,
});

/** Processes of one store that share a clock. */
class Processes {
  readonly notes: Notes = memoryStore().notes;
  now = BEGAN;
  readonly clock = (): Date => new Date(this.now);

  process(name: string, notes: Notes = this.notes): TallyNote {
    return new TallyNote(notes, RUN, name, this.clock);
  }

  async sum(): Promise<Omit<Tally, "at">> {
    return sumTallies(await this.notes.list(tallyPrefix(RUN)), this.now);
  }

  async count(): Promise<number> {
    return (await this.notes.list(tallyPrefix(RUN))).length;
  }
}

test("what a process does is added up in one note, and that of several in one sum", async () => {
  const all = new Processes();
  const [one, other] = [all.process("one"), all.process("other")];
  await one.add(work(10));
  await one.add(
    work(20, { calls: [{ region: "eu-west-2", operation: "Encrypt", calls: 5 }], failed: 1, throttled: 2 }),
  );
  await other.add(work(5, { seconds: 9, waits: "load" }));
  assert.equal(await all.count(), 2);
  assert.deepEqual(await all.sum(), {
    calls: [
      { region: "eu-west-1", operation: "ReEncrypt", calls: 15 },
      { region: "eu-west-2", operation: "Encrypt", calls: 5 },
    ],
    throttled: 2,
    done: { add: 35 },
    failed: 1,
    bytes: 3_500,
    seconds: 9,
    rate: 12.5,
    waits: "load",
  });
  all.now += 60_000;
  const later = await all.sum();
  assert.deepEqual([later.rate, later.waits, later.done], [0, null, { add: 35 }]);
});

test("three hundred processes that die one after the other leave one note, and all that they did", async () => {
  const all = new Processes();
  for (let life = 0; life < 300; life++) {
    await all.process(`life-${life}`).add(work(1));
    all.now += ALIVE_MS;
  }
  const { done, calls, seconds } = await all.sum();
  assert.deepEqual([await all.count(), done, calls[0]?.calls, seconds], [1, { add: 300 }, 300, 600]);
});

test("a process that was taken for dead goes on in another note", async () => {
  const all = new Processes();
  const [stopped, heir] = [all.process("stopped"), all.process("heir")];
  await stopped.add(work(10));
  all.now += ALIVE_MS;
  await heir.add(work(1));
  await stopped.add(work(100));
  await heir.add(work(1_000));
  await stopped.add(work(10_000));
  assert.deepEqual([await all.count(), (await all.sum()).done], [2, { add: 11_111 }]);
});

for (const isWritten of [true, false])
  test(`an answer that was lost doubles nothing where the note ${isWritten ? "was" : "was not"} written`, async () => {
    const all = new Processes();
    let loses = true;
    const lossy: Notes = {
      list: (prefix) => all.notes.list(prefix),
      replace: async (...given) => {
        if (!loses || isWritten) await all.notes.replace(...given);
        if (!loses) return "replaced";
        throw new VaultError("outcome-unknown", "the connection was lost");
      },
    };
    const one = all.process("one", lossy);
    await assert.rejects(one.add(work(10)), { code: "outcome-unknown" });
    await assert.rejects(one.add(work(1)), { code: "outcome-unknown" });
    loses = false;
    await one.add(work(100));
    assert.deepEqual((await all.sum()).done, { add: 111 });
  });

test("two processes that take over the same note at once lose nothing", async () => {
  const all = new Processes();
  await all.process("dead").add(work(1));
  all.now += ALIVE_MS;
  const heirs = Array.from({ length: 8 }, (_, index) => all.process(`heir-${index}`));
  await Promise.all(heirs.map((heir, index) => heir.add(work(10 ** ((index % 4) + 1)))));
  assert.deepEqual((await all.sum()).done, { add: 1 + 2 * 11_110 });
});

const strange: readonly (readonly [of: string, text: string])[] = [
  ["no JSON", "{"],
  ["null", "null"],
  ["nothing of it", "{}"],
  [
    "a region that steers a terminal",
    tallyText(tally(1, { calls: [{ region: "\u001b[2J", operation: "Decrypt", calls: 1 }] })),
  ],
  ["a count below none", tallyText(tally(1, { failed: -1 }))],
  ["a count that is no number", tallyText(tally(1)).replace('"bytes":100', '"bytes":"100"')],
  [
    "calls beyond all",
    tallyText(tally(1, { calls: Array(1_000).fill({ region: "r", operation: "O", calls: 1 }) as Tally["calls"] })),
  ],
  ["a phase that is none", tallyText(tally(1, { done: { later: 1 } as Tally["done"] }))],
  ["a reason that fills a page", tallyText(tally(1, { waits: "x".repeat(201) }))],
  ["a million characters", `${tallyText(tally(1))}${" ".repeat(1_000_000)}`],
];

for (const [of, text] of strange)
  test(`a note with ${of} counts for nothing, and fails nothing`, () => {
    assert.equal(parseTally(text), null);
    assert.deepEqual(sumTallies([{ text: tallyText(tally(2)) }, { text }], BEGAN).done, { add: 2 });
  });

test("a note is what it was written as", () => {
  const given = tally(3, { throttled: 4, failed: 5, waits: "load", rate: 1.5 });
  assert.deepEqual(parseTally(tallyText(given)), given);
});

test("a sum of what somebody wrote by hand stays a number", () => {
  const most = Number.MAX_SAFE_INTEGER;
  const huge = { text: tallyText(tally(most, { bytes: most })) };
  assert.deepEqual(sumTallies([huge, huge], BEGAN).done, { add: most });
});

test("more regions than a note holds are counted as one", () => {
  const calls = Array.from({ length: 200 }, (_, index) => ({ region: `r-${index}`, operation: "Decrypt", calls: 1 }));
  const found = addTallies(tally(0, { calls: [] }), tally(0, { calls }));
  assert.deepEqual(found.calls.find(({ operation }) => operation === "Others")?.calls, 72);
  assert.deepEqual(parseTally(tallyText(found)), found);
});

test("of earlier runs nothing is left, and the run's own note stays", async () => {
  const { notes } = memoryStore();
  await notes.replace("convergence/run", "{}", null);
  await notes.replace(`${tallyPrefix(RUN)}a`, "1", null);
  await notes.replace(`${tallyPrefix("1d6b2c1e-6f0a-4b7e-9c57-0f3a8a1b2c3d")}a`, "1", null);
  await forgetTallies(notes, RUN);
  assert.deepEqual(
    (await notes.list("convergence/")).map(({ name }) => name),
    [`${tallyPrefix(RUN)}a`, "convergence/run"],
  );
  await forgetTallies(notes, null);
  assert.deepEqual(
    (await notes.list("convergence/")).map(({ name }) => name),
    ["convergence/run"],
  );
});

test("a keeper writes what was counted, at its own pace, and what is left when it is closed", async () => {
  const written: Partial<Tally>[] = [];
  let now = 0;
  let waits: string | null = null;
  let wake = (): void => undefined;
  const keeper = new TallyKeeper({
    note: { add: (given) => Promise.resolve(void written.push(given)) },
    now: () => now,
    waits: () => waits,
    sleep: (_, signal) =>
      new Promise((resolve) => {
        wake = resolve;
        signal.addEventListener("abort", () => {
          resolve();
        });
      }),
  });
  await new Promise(setImmediate);
  const later = async (ms: number): Promise<void> => {
    now += ms;
    wake();
    for (let turn = 0; turn < 5; turn++) await new Promise(setImmediate);
  };
  await later(2_000);
  assert.equal(written.length, 0, "who has done nothing says nothing");
  keeper.done(3);
  keeper.done();
  keeper.called("eu-west-1", "Decrypt");
  keeper.called("eu-west-1", "Decrypt");
  keeper.wrote(10);
  await later(2_000);
  assert.deepEqual(
    written.at(-1),
    work(0, { calls: [{ region: "eu-west-1", operation: "Decrypt", calls: 2 }], done: { add: 4 }, bytes: 10, rate: 2 }),
  );
  await later(2_000);
  assert.deepEqual([written.length, written.at(-1)?.rate], [2, 0], "that it rests is said once");
  await later(2_000);
  assert.equal(written.length, 2);
  waits = "load";
  await later(2_000);
  assert.deepEqual([written.length, written.at(-1)?.waits, written.at(-1)?.seconds], [3, "load", 0]);
  keeper.in("drop");
  keeper.done();
  keeper.failed();
  keeper.throttled();
  now += 500;
  await keeper.close();
  assert.deepEqual(written.at(-1), {
    ...NO_WORK,
    done: { drop: 1 },
    failed: 1,
    throttled: 1,
    seconds: 0.5,
    rate: 2,
    waits: "load",
  });
});
