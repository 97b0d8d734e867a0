/**
 * Part of the contract of the audit's log: it grows by whole additions, one after the other, by whoever holds the
 * lease.
 */
import assert from "node:assert/strict";
import { randomBytes, randomUUID } from "node:crypto";
import type { Addition, AuditLog, LogCounts, LogState, NewLogEntry } from "../stores/audit-log.ts";
import { MAX_APPEND_BYTES, MAX_ENTRY_BYTES } from "../stores/outbox.ts";
import {
  add,
  addition,
  assertEntries,
  base64,
  entriesIn,
  foundIn,
  headOf,
  newHead,
  newLogEntries,
} from "./additions.ts";
import { newLogEntry, newLogStream, newMessage, newSubtree, numberOf, shownLogState } from "./additions.ts";
import { day, leaseOf, rejects, turn } from "./changes.ts";
import type { Contract } from "./contract.ts";
import { idsOf, newEntryId, newTag } from "./entries.ts";

export function logContract(contract: Contract<AuditLog>): void {
  contract("a new log is empty, and of no history", async ({ store }) => {
    assert.deepEqual(await store.state(), {
      ...{ history: null, size: 0, subtrees: [], checkpoint: null, published: 0, adopted: false, forgotten: 0 },
    });
    assert.deepEqual(await store.entries({ from: 0, limit: 10 }), []);
    assert.deepEqual(await store.positions([newEntryId()]), [null]);
    assert.deepEqual(await store.latest([{ tag: newTag(), message: null }]), [{ head: null, isKnown: false }]);
    assert.deepEqual(await store.find({}, { order: "newest", after: null, limit: 10 }), []);
    assert.deepEqual(await store.hashes({ height: 0, start: 0, end: 10 }), []);
    assert.deepEqual(await store.streams("records", { after: null, limit: 10 }), []);
    await store.requireRoom();
    await store.ping();
  });

  contract("what is added is there byte for byte, and any log over the storage has it", async (given) => {
    const { store, another } = given;
    const lease = await leaseOf(store);
    const entries = [
      newLogEntry({ text: Buffer.from([0, 0xff, 0xc0, 0x80, 0x0a, 0x27]), leaf: Buffer.alloc(32) }),
      newLogEntry({ text: randomBytes(MAX_ENTRY_BYTES), leaf: Buffer.alloc(32, 0xff) }),
      newLogEntry({ collection: null, people: ["vault", randomUUID()] }),
    ];
    const state = {
      subtrees: [2, 0].map((height) => ({ height, hash: randomBytes(32) })),
      checkpoint: "strongroom/1/2\n3\nroot=\n\n\u2014 key signature=\n",
      published: 2,
      adopted: true,
    };
    await add(store, lease, { entries, state });
    for (const log of [store, await another()]) {
      await assertEntries(log, entries);
      const { history, ...told } = await log.state();
      assert.equal(history?.length, 36);
      assert.deepEqual(shownLogState({ history, ...told }), {
        ...(shownLogState({ history, size: 3, forgotten: 0, ...state }) as object),
      });
    }
    const more = newLogEntries(2);
    const after = await add(await another(), lease, { entries: more, state: { checkpoint: null, subtrees: [] } });
    assert.deepEqual([after.checkpoint, after.subtrees, after.size], [null, [], 5]);
    await assertEntries(store, [...entries, ...more]);
  });

  contract("entries are read from any position on, and found by their ids", async ({ store }) => {
    const entries = newLogEntries(7);
    const lease = await leaseOf(store);
    await add(store, lease, { entries: entries.slice(0, 3) });
    await add(store, lease, { entries: entries.slice(3) });
    for (const [from, limit] of [
      [0, 3],
      [2, 4],
      [6, 10],
      [7, 10],
      [1000, 1],
    ] as const)
      assert.deepEqual(idsOf(await store.entries({ from, limit })), idsOf(entries.slice(from, from + limit)));
    const asked = [entries[6]!.id, newEntryId(), entries[0]!.id, entries[6]!.id];
    assert.deepEqual(await store.positions(asked), [6, null, 0, 6]);
    assert.deepEqual(await store.positions([]), []);
  });

  contract("nothing is added to what the log is not any more", async ({ store, another }) => {
    const other = await another();
    const lease = await leaseOf(store);
    const empty = await store.state();
    const first = await add(store, lease, { entries: newLogEntries(2) });
    const bases: readonly LogState[] = [
      empty,
      { ...first, size: 1 },
      { ...first, size: 3 },
      { ...first, history: randomUUID() },
      { ...first, history: null },
    ];
    for (const base of bases) {
      const whole = everything(base);
      assert.equal(await other.integrate(base, whole, lease), "overtaken");
      assert.deepEqual(shownLogState(await store.state()), shownLogState(first));
      await assertNothingOf(store, whole);
    }
    await add(other, lease, { entries: newLogEntries(1) });
  });

  contract("nobody whose lease is another's adds anything", async ({ store, storage, another }) => {
    const other = await another();
    const old = await leaseOf(store, "all", 1000);
    const state = await add(store, old, { entries: newLogEntries(1) });
    await storage.passTime(2000);
    await add(store, old, { entries: newLogEntries(1) });
    const lease = await leaseOf(other);
    const base = await store.state();
    assert.equal(base.size, 2, "a lease that ran out is its holder's until it is taken");
    const whole = everything(base);
    for (const wrong of [old, { ...lease, fence: lease.fence + 1 }, { ...lease, partition: "none" }])
      assert.equal(await store.integrate(base, whole, wrong), "overtaken");
    await assertNothingOf(store, whole);
    await other.jobs.finish(lease, { cursor: null, done: 0, failed: 0, problem: null }, 0);
    assert.equal(await other.integrate(base, whole, lease), "overtaken", "a lease that was given back is nobody's");
    assert.deepEqual([(await store.state()).size, state.history], [2, base.history]);
  });

  contract("an entry that is in the log is refused, and nothing comes with it", async ({ store, another }) => {
    const other = await another();
    const lease = await leaseOf(store);
    const entries = newLogEntries(3);
    const base = await add(store, lease, { entries });
    for (const { id } of [entries[0]!, entries[2]!]) {
      const whole = everything(base);
      const again = { ...whole, entries: [...whole.entries, newLogEntry({ id })] };
      const sized = { ...again, state: { ...again.state, size: base.size + again.entries.length } };
      await rejects("store-failed", () => other.integrate(base, sized, lease));
      await assertNothingOf(store, whole);
    }
    const twice = newLogEntry();
    await rejects("store-failed", () => store.integrate(base, addition(base, { entries: [twice, twice] }), lease));
    await assertEntries(store, entries);
  });

  contract("of many additions to one log exactly one is made, and none in part", async ({ store, another, rounds }) => {
    const logs = [store, await another()];
    const lease = await leaseOf(store);
    const made: NewLogEntry[] = [];
    for (let round = 0; round < 5 * rounds; round++) {
      const base = await store.state();
      const all = Array.from({ length: 8 }, (_, index) => everything(base, index + 1));
      const results = await Promise.all(all.map((one, index) => logs[index % 2]!.integrate(base, one, lease)));
      const winners = all.filter((_, index) => results[index] === "integrated");
      assert.equal(winners.length, 1, results.join());
      made.push(...winners[0]!.entries);
      for (const one of all) if (one !== winners[0]) await assertNothingOf(store, one);
    }
    await assertEntries(store, made);
  });

  contract("whoever reads meanwhile sees the whole of an addition or nothing of it", async (given) => {
    const { store, another, rounds } = given;
    const other = await another();
    const lease = await leaseOf(store);
    const tags = Array.from({ length: 40 }, newTag);
    const versions = 20 * rounds;
    let isOver = false;
    const writer = async (): Promise<void> => {
      for (let version = 1; version <= versions; version++) {
        const heads = tags.map((tag) => newHead(tag, version));
        await add(store, lease, { entries: newLogEntries(3), heads });
        await turn();
      }
    };
    const reader = async (log: AuditLog): Promise<void> => {
      while (!isOver) {
        const latest = await log.latest(tags.map((tag) => ({ tag, message: null })));
        assert.equal(new Set(latest.map(({ head }) => head?.version)).size, 1, "all addresses are of one snapshot");
        const { size } = await log.state();
        assert.equal(size % 3, 0);
        assert.ok((await log.entries({ from: 0, limit: 1000 })).length >= size);
        await turn();
      }
    };
    await Promise.all([writer().finally(() => (isOver = true)), reader(other), reader(store)]);
  });

  contract("what is published only grows, whoever tells it", async ({ store, another }) => {
    const other = await another();
    const lease = await leaseOf(store);
    await add(store, lease, { entries: newLogEntries(9) });
    const published = async (): Promise<number> => (await other.state()).published;
    await store.published(5);
    assert.equal(await published(), 5);
    await other.published(3);
    assert.equal(await published(), 5);
    await add(store, lease, { entries: newLogEntries(1), state: { published: 4 } });
    assert.equal(await published(), 5);
    await add(store, lease, { entries: newLogEntries(1), state: { published: 8 } });
    assert.equal(await published(), 8);
    await Promise.all([11, 9, 10].map((size, index) => (index % 2 === 0 ? store : other).published(size)));
    assert.equal(await published(), 11);
  });

  contract("hashes of leaves and of subtrees are told by height and place, up to what is missing", async (given) => {
    const { store, another } = given;
    const lease = await leaseOf(store);
    const entries = newLogEntries(6);
    const subtrees = [newSubtree(8, 0), newSubtree(8, 1), newSubtree(16, 0), newSubtree(8, 3)];
    await add(store, lease, { entries: entries.slice(0, 2), subtrees: subtrees.slice(0, 1) });
    await add(store, lease, { entries: entries.slice(2), subtrees: subtrees.slice(1) });
    const log = await another();
    const leaves = entries.map(({ leaf }) => leaf);
    const [first, second, high, fourth] = subtrees.map(({ hash }) => hash);
    for (const [height, start, end, wanted] of [
      [0, 0, 6, leaves],
      [0, 2, 4, leaves.slice(2, 4)],
      [0, 4, 99, leaves.slice(4)],
      [0, 3, 3, []],
      [0, 99, 100, []],
      [8, 0, 2, [first, second]],
      [8, 1, 9, [second]],
      [8, 3, 4, [fourth]],
      [16, 0, 9, [high]],
      [24, 0, 9, []],
    ] as const)
      assert.deepEqual(
        (await log.hashes({ height, start, end })).map(base64),
        wanted.map((hash) => base64(hash!)),
        `${height}: ${start} to ${end}`,
      );
  });

  contract("an answer has entries of so many bytes, at least one, and the next one goes on", async ({ store }) => {
    const lease = await leaseOf(store);
    const text = Buffer.alloc(MAX_ENTRY_BYTES, "x");
    const entries = Array.from({ length: 20 }, () => newLogEntry({ text }));
    await add(store, lease, { entries });
    const rows = await store.entries({ from: 1, limit: 100 });
    assert.deepEqual(idsOf(rows), idsOf(entries.slice(1, rows.length + 1)));
    assert.ok(rows.length > 0 && rows.length * MAX_ENTRY_BYTES <= MAX_APPEND_BYTES + MAX_ENTRY_BYTES);
    assert.deepEqual(idsOf(await entriesIn(store)), idsOf(entries));
  });

  contract("how many rows there are is counted", async ({ store, another }) => {
    const none = { entries: 0, subtrees: 0, heads: 0, messages: 0, streams: 0, people: 0 };
    assert.deepEqual(await store.counts(), none);
    const lease = await leaseOf(store);
    const [tag, other] = [newTag(), newTag()];
    const [message, stream] = [newMessage(tag, 1), newLogStream(3)];
    const entries = [newLogEntry({ people: ["k1", "k2"], at: day(1) }), newLogEntry({ people: ["k1"] }), newLogEntry()];
    await add(store, lease, {
      entries,
      subtrees: [newSubtree(8, 0)],
      heads: [newHead(tag, 1), newHead(other, 1)],
      messages: [message, newMessage(tag, 1), newMessage(other, 1)],
      streams: [stream, newLogStream(1, "keys")],
    });
    const log = await another();
    const counts = (): Promise<LogCounts> => log.counts();
    assert.deepEqual(await counts(), { entries: 3, subtrees: 1, heads: 2, messages: 3, streams: 2, people: 3 });
    await add(store, lease, { entries: [], messages: [message], removed: [other], closed: [stream] });
    assert.deepEqual(await counts(), { entries: 3, subtrees: 1, heads: 2, messages: 2, streams: 1, people: 3 });
    await store.forget([{ from: 0, to: 1 }]);
    assert.deepEqual(await counts(), { entries: 3, subtrees: 1, heads: 2, messages: 2, streams: 1, people: 1 });
  });

  contract("a large addition is made at once", async ({ store }) => {
    const lease = await leaseOf(store);
    const people = Array.from({ length: 50 }, () => randomUUID());
    const entries = Array.from({ length: 1000 }, (_, index) =>
      newLogEntry({ people: [0, 7, 31].map((step) => people[(index + step) % 50]!) }),
    );
    const tags = Array.from({ length: 1000 }, newTag);
    const streams = tags.map((_, index) => newLogStream(index + 1, index % 2 === 0 ? "records" : "keys"));
    const messages = tags.map((tag) => newMessage(tag, 3));
    await add(store, lease, { entries, heads: tags.map((tag) => newHead(tag, 3)), messages, streams });
    await assertEntries(store, entries);
    const latest = await store.latest(messages.map(({ tag, ...message }) => ({ tag, message })));
    assert.equal(latest.filter(({ head, isKnown }) => isKnown && head?.version === 3).length, 1000);
    assert.equal((await store.streams("keys", { after: null, limit: 1000 })).length, 500);
    assert.equal((await foundIn(store, { people: [people[0]!] })).length, 60);
    assert.deepEqual(await store.positions(idsOf(entries)), [...entries.keys()]);
    await add(store, lease, { removed: tags, closed: streams, heads: tags.map((tag) => newHead(tag, 4)) });
    assert.deepEqual(await store.streams("records", { after: null, limit: 1000 }), []);
  });
}

/** An addition that changes every table. */
function everything(base: LogState, count = 2): Addition {
  const tag = newTag();
  return addition(base, {
    entries: newLogEntries(count, { principal: `of ${tag}`, people: [tag] }),
    state: { checkpoint: `not ${tag}`, adopted: true, published: 9 },
    heads: [newHead(tag, 1)],
    messages: [newMessage(tag, 1)],
    streams: [newLogStream(4)],
    subtrees: [newSubtree(8, Number.parseInt(randomBytes(4).toString("hex"), 16))],
  });
}

/** Nothing of an addition that `everything` made is there. */
async function assertNothingOf(log: AuditLog, whole: Addition): Promise<void> {
  const [{ tag }, { stream }, { height, index }] = [whole.heads[0]!, whole.streams[0]!, whole.subtrees[0]!];
  assert.deepEqual(
    await log.positions(idsOf(whole.entries)),
    whole.entries.map(() => null),
  );
  assert.deepEqual([await headOf(log, tag), await numberOf(log, "records", stream)], [null, null]);
  assert.deepEqual(await log.hashes({ height, start: index, end: index + 1 }), []);
  assert.deepEqual([await foundIn(log, { people: [tag] }), await foundIn(log, { principal: `of ${tag}` })], [[], []]);
  assert.notEqual((await log.state()).checkpoint, whole.state.checkpoint);
}
