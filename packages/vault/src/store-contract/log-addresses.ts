/**
 * Part of the contract of the audit's log: what is known of addresses and of streams is what was told last, until
 * another history begins.
 */
import assert from "node:assert/strict";
import { randomBytes, randomUUID } from "node:crypto";
import { parseVersion } from "../records/address.ts";
import type { AuditLog } from "../stores/audit-log.ts";
import { STORE_STREAM } from "../stores/outbox.ts";
import type { AddressTag, StreamId } from "../stores/outbox.ts";
import { add, addition, assertEntries, headOf, knownOf, newHead, newLogEntries, newLogStream } from "./additions.ts";
import { newMessage, numberOf } from "./additions.ts";
import { leaseOf, rejects } from "./changes.ts";
import type { Contract } from "./contract.ts";
import { newStream, newTag } from "./entries.ts";

/** In the order of their bytes. */
const TAGS = ["-", "0", "9", "A", "B", "Z", "_", "a", "b", "z"].map((first) => first.padEnd(22, "A") as AddressTag);

export function logAddressesContract(contract: Contract<AuditLog>): void {
  contract("of an address the newest head is known, as it was told last", async ({ store, another }) => {
    const lease = await leaseOf(store);
    const [a, b, never] = [newTag(), newTag(), newTag()];
    const first = newHead(a, 1);
    const plain = newHead(b, 7, { entry: null });
    await add(store, lease, { heads: [first, plain] });
    const { tag, ...head } = first;
    const other = await another();
    assert.deepEqual(await headOf(other, tag), head);
    assert.deepEqual(await headOf(other, b), { version: 7, state: "live", entry: null });
    const gone = newHead(a, Number.MAX_SAFE_INTEGER, { state: "removed" });
    await add(other, lease, { heads: [gone] });
    const asked = [b, never, a, b].map((wanted) => ({ tag: wanted, message: null }));
    const latest = await store.latest(asked);
    assert.deepEqual(
      latest.map((one) => one.head?.version ?? null),
      [7, null, Number.MAX_SAFE_INTEGER, 7],
      "in their order, also one that comes twice",
    );
    assert.deepEqual([latest[2]!.head?.state, latest[2]!.head?.entry], ["removed", gone.entry]);
    assert.ok(
      latest.every(({ isKnown }) => !isKnown),
      "nothing was asked of messages",
    );
    assert.deepEqual(await store.latest([]), []);
  });

  contract("a message is known of the version that it was told of, and others stay known", async (given) => {
    const { store, another } = given;
    const lease = await leaseOf(store);
    const [a, b] = [newTag(), newTag()];
    const [first, other] = [newMessage(a, 1), newMessage(a, 1)];
    await add(store, lease, { heads: [newHead(a, 1), newHead(b, 1)], messages: [first, other] });
    const rewrapped = newMessage(a, 1);
    const next = newMessage(a, 2);
    await add(store, lease, { heads: [newHead(a, 2)], messages: [rewrapped, next, rewrapped, first] });
    const log = await another();
    assert.deepEqual(await knownOf(log, next, first, other, rewrapped), [true, true, true, true]);
    const wrong = [
      { ...first, tag: b },
      { ...first, version: parseVersion(2) },
      { ...next, version: parseVersion(1) },
      { ...first, sha256: randomBytes(32) },
      { ...first, sha256: first.sha256.subarray(0, 31) },
      { ...first, sha256: Buffer.alloc(0) },
      { ...first, tag: newTag() },
    ];
    assert.deepEqual(
      await knownOf(log, ...wrong),
      wrong.map(() => false),
    );
    const [latest] = await log.latest([{ tag: a, message: first }]);
    assert.deepEqual([latest!.head?.version, latest!.isKnown], [2, true], "a message of an older version");
  });

  contract("the messages of what is removed are known no more, and new ones are", async ({ store }) => {
    const lease = await leaseOf(store);
    const [a, b] = [newTag(), newTag()];
    const [before, kept] = [newMessage(a, 1), newMessage(b, 1)];
    await add(store, lease, { heads: [newHead(a, 1), newHead(b, 1)], messages: [before, kept] });
    const since = newMessage(a, 2);
    await add(store, lease, { heads: [newHead(a, 2)], removed: [a, newTag()], messages: [since] });
    assert.deepEqual(await knownOf(store, before, since, kept), [false, true, true]);
    await add(store, lease, { heads: [newHead(a, 2, { state: "removed" })], removed: [a] });
    assert.deepEqual(await knownOf(store, since, kept), [false, true]);
    assert.equal((await headOf(store, a))?.state, "removed", "its head stays");
  });

  contract("the first version of an address is the first that a message is known of", async ({ store, another }) => {
    const lease = await leaseOf(store);
    const [a, b, never] = [newTag(), newTag(), newTag()];
    const messages = [newMessage(a, 3), newMessage(a, 12), newMessage(a, 2), newMessage(b, 10), newMessage(b, 9)];
    await add(store, lease, { heads: [newHead(a, 12), newHead(b, 10)], messages });
    const log = await another();
    assert.deepEqual(await log.firstVersions([b, never, a, b]), [9, null, 2, 9]);
    assert.deepEqual(await log.firstVersions([]), []);
    await add(log, lease, { heads: [newHead(b, 10, { state: "removed" })], removed: [b] });
    assert.deepEqual(await store.firstVersions([a, b]), [2, null]);
  });

  contract("live heads are listed in the order of their tags' bytes, page by page", async ({ store, another }) => {
    const lease = await leaseOf(store);
    const states = TAGS.map((tag, index) => newHead(tag, index + 1, { state: index % 4 === 2 ? "removed" : "live" }));
    await add(store, lease, { heads: states.toReversed() });
    const log = await another();
    const live = states.filter(({ state }) => state === "live");
    for (const limit of [1, 2, 3, 8, 100]) {
      const found = [];
      for (let after: AddressTag | null = null; ;) {
        const page = await log.heads({ only: "live", after, limit });
        found.push(...page);
        after = page.at(-1)?.tag ?? null;
        if (page.length < limit) break;
      }
      assert.deepEqual(found, live, `pages of ${limit}`);
    }
    const gone = newHead(TAGS[0]!, 9, { state: "removed" });
    await add(store, lease, { heads: [gone] });
    assert.deepEqual(await log.heads({ only: "live", after: null, limit: 1 }), [live[1]]);
    const all = [gone, ...states.slice(1)];
    assert.deepEqual(await log.heads({ only: "all", after: null, limit: 100 }), all);
    assert.deepEqual(await log.heads({ only: "all", after: TAGS[1]!, limit: 2 }), all.slice(2, 4));
  });

  contract("streams are as far as they were told, each of its outbox, until they are closed", async (given) => {
    const { store, another } = given;
    const lease = await leaseOf(store);
    const stream = newStream();
    await add(store, lease, { streams: [newLogStream(3, "records", stream), newLogStream(8, "keys", stream)] });
    const log = await another();
    assert.deepEqual([await numberOf(log, "records", stream), await numberOf(log, "keys", stream)], [3, 8]);
    await add(log, lease, { streams: [newLogStream(5, "records", stream), newLogStream(1, "keys", STORE_STREAM)] });
    assert.deepEqual([await numberOf(store, "records", stream), await numberOf(store, "keys", stream)], [5, 8]);
    const ended = { ...newLogStream(6, "records", stream), ended: true };
    await add(store, lease, { streams: [ended] });
    assert.deepEqual(await log.streams("records", { after: null, limit: 9 }), [ended], "that it has ended is told");
    const { outbox } = ended;
    await add(store, lease, { closed: [{ outbox, stream }, newLogStream(1), newLogStream(1, "keys", newStream())] });
    assert.deepEqual(await store.streams("records", { after: null, limit: 9 }), []);
    assert.deepEqual(
      await store.streams("keys", { after: null, limit: 9 }),
      [newLogStream(1, "keys", STORE_STREAM), newLogStream(8, "keys", stream)],
      "of another outbox it is another stream",
    );
  });

  contract("pages of every size have each stream of an outbox once, in the order of their ids", async ({ store }) => {
    const lease = await leaseOf(store);
    const all = [STORE_STREAM, ...Array.from({ length: 8 }, newStream)].map((stream, index) =>
      newLogStream(index + 1, "records", stream),
    );
    await add(store, lease, {
      streams: [...all.toReversed(), ...all.map((one) => ({ ...one, outbox: "keys" as const }))],
    });
    const sorted = all.toSorted((a, b) => (a.stream < b.stream ? -1 : 1));
    for (const limit of [1, 2, 3, 9, 100]) {
      const found = [];
      for (let after: StreamId | null = null; ;) {
        const page = await store.streams("records", { after, limit });
        found.push(...page);
        after = page.at(-1)?.stream ?? null;
        if (page.length < limit) break;
      }
      assert.deepEqual(found, sorted, `pages of ${limit}`);
    }
  });

  contract("with another history what was known of addresses and streams goes, and the entries stay", async (given) => {
    const { store, another } = given;
    const lease = await leaseOf(store);
    const [kept, gone, brief] = [newTag(), newTag(), newStream()];
    const entries = newLogEntries(3, { people: ["ada"] });
    const [old, other] = [newMessage(kept, 1), newMessage(gone, 1)];
    const streams = [newLogStream(4), newLogStream(2, "keys"), newLogStream(9, "records", brief)];
    const state = { adopted: true, published: 3 };
    const heads = [newHead(kept, 1), newHead(gone, 1)];
    const before = await add(store, lease, { entries, heads, messages: [old, other], streams, state });
    const history = randomUUID();
    const [since, message, stream] = [newHead(kept, 1), newMessage(kept, 1), newLogStream(1, "records", brief)];
    const begins = { entries: newLogEntries(2), heads: [since], messages: [message], streams: [stream], begins: true };
    const next = addition(before, { ...begins, state: { history, adopted: false } });
    await rejects("store-failed", () => store.integrate(before, { ...next, begins: false }, lease));
    assert.equal(await store.integrate(before, next, lease), "integrated");
    const log = await another();
    const { version, entry } = since;
    assert.deepEqual([await headOf(log, kept), await headOf(log, gone)], [{ version, state: "live", entry }, null]);
    assert.deepEqual(await knownOf(log, old, other, message), [false, false, true]);
    assert.deepEqual(await log.streams("records", { after: null, limit: 9 }), [stream]);
    assert.deepEqual(await log.streams("keys", { after: null, limit: 9 }), []);
    await assertEntries(log, [...entries, ...begins.entries]);
    const after = await log.state();
    assert.deepEqual([after.history, after.adopted, after.published], [history, false, 3]);
    assert.equal(await log.integrate(before, addition(before), lease), "overtaken");
  });

  contract("heads that are damaged are like no record's, and everything else answers", async ({ store, storage }) => {
    if (storage.damage === undefined) return;
    const lease = await leaseOf(store);
    const tags = [newTag(), newTag()];
    const entries = newLogEntries(3);
    await add(store, lease, { entries, heads: tags.map((tag) => newHead(tag, 4)) });
    await storage.damage();
    const latest = await store.latest(tags.map((tag) => ({ tag, message: null })));
    for (const { head } of latest)
      assert.ok(head !== null && (head.version === 0 || head.entry === ""), "what is damaged is empty or 0");
    const rows = await store.entries({ from: 0, limit: 9 });
    assert.deepEqual(
      rows.slice(1).map(({ id }) => id),
      entries.slice(1).map(({ id }) => id),
    );
    assert.equal((await store.find({}, { order: "newest", after: null, limit: 2 })).length, 2);
    await add(store, lease, { entries: newLogEntries(1), heads: [newHead(tags[0]!, 5)] });
    assert.equal((await headOf(store, tags[0]!))?.version, 5);
  });
}
