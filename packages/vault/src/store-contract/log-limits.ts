/**
 * Part of the contract of the audit's log: it takes whole additions, as they were at the call, and nothing once it is
 * closed.
 */
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import type { Addition, AuditLog, LogState } from "../stores/audit-log.ts";
import type { AddressTag, EntryId } from "../stores/outbox.ts";
import { MAX_ENTRY_BYTES } from "../stores/outbox.ts";
import { add, addition, assertEntries, base64, knownOf, newHead, newLogEntries, newLogEntry } from "./additions.ts";
import { newLogStream, newMessage, newSubtree } from "./additions.ts";
import { day, leaseOf, rejects } from "./changes.ts";
import type { Contract } from "./contract.ts";
import { newEntryId, newTag } from "./entries.ts";

/** What no addition is: a name for it -> how it differs from one that is. */
const NO_ADDITIONS: Readonly<Record<string, (base: LogState) => Partial<Addition>>> = {
  "an id that is none": () => ({ entries: [newLogEntry({ id: "1" as EntryId })] }),
  "no text": () => ({ entries: [newLogEntry({ text: Buffer.alloc(0) })] }),
  "too long a text": () => ({ entries: [newLogEntry({ text: Buffer.alloc(MAX_ENTRY_BYTES + 1) })] }),
  "a short leaf": () => ({ entries: [newLogEntry({ leaf: randomBytes(31) })] }),
  "no moment": () => ({ entries: [newLogEntry({ at: "yesterday" })] }),
  "a principal with a NUL": () => ({ entries: [newLogEntry({ principal: "a\u0000b" })] }),
  "half a character": () => ({ entries: [newLogEntry({ people: ["\ud800"] })] }),
  "a head twice": () => {
    const head = newHead(newTag(), 1);
    return { heads: [head, head] };
  },
  "version 0": () => ({ heads: [{ ...newHead(newTag(), 1), version: 0 as never }] }),
  "a tag that is none": () => ({ heads: [newHead("x" as AddressTag, 1)] }),
  "a short message's hash": () => ({ messages: [{ ...newMessage(newTag(), 1), sha256: randomBytes(20) }] }),
  "an outbox that there is not": () => ({ streams: [newLogStream(1, "audit" as never)] }),
  "number 0 of a stream": () => ({ streams: [newLogStream(0)] }),
  "a stream twice": () => {
    const stream = newLogStream(1);
    return { streams: [stream, { ...stream, number: 2 }] };
  },
  "a stream that is told and closed": () => {
    const stream = newLogStream(1);
    return { streams: [stream], closed: [stream] };
  },
  "a subtree of half a height": () => ({ subtrees: [newSubtree(8.5, 0)] }),
  "a size that is another": (base) => ({ state: { ...base, size: base.size + 1 } }),
  "another history": (base) => ({ state: { ...base, history: newEntryId() } }),
  "too long a checkpoint": (base) => ({ state: { ...base, checkpoint: "x".repeat(64 * 1024 + 1) } }),
};

export function logLimitsContract(contract: Contract<AuditLog>): void {
  contract("what no addition is is refused, and nothing of it is made", async ({ store }) => {
    const lease = await leaseOf(store);
    const entries = newLogEntries(1);
    const base = await add(store, lease, { entries });
    const [tag, good] = [newTag(), newLogEntry()];
    for (const [what, wrong] of Object.entries(NO_ADDITIONS)) {
      const { entries: odd = [], messages = [], ...more } = wrong(base);
      const message = newMessage(tag, 1);
      const sound = addition(base, {
        entries: odd.length === 0 ? [] : [good, ...odd],
        messages: [message, ...messages],
      });
      await rejects("store-failed", () => store.integrate(base, { ...sound, ...more }, lease)).catch((error: unknown) =>
        assert.fail(`${what}: ${String(error)}`),
      );
      assert.deepEqual(await knownOf(store, message), [false], what);
    }
    await assertEntries(store, entries);
    await add(store, lease, { entries: [good] });
  });

  contract("what a caller does to an addition after the call changes nothing that is added", async ({ store }) => {
    const lease = await leaseOf(store);
    const base = await store.state();
    const [entry, message] = [newLogEntry({ text: Buffer.from("as it was") }), newMessage(newTag(), 1)];
    const [leaf, sha256] = [base64(entry.leaf), Buffer.from(message.sha256)];
    const own = addition(base, { entries: [entry], messages: [message] });
    const added = store.integrate(base, own, lease);
    for (const bytes of [entry.text, entry.leaf, message.sha256]) bytes.fill(0);
    assert.equal(await added, "integrated");
    const [row] = await store.entries({ from: 0, limit: 1 });
    assert.deepEqual([Buffer.from(row!.text!).toString(), base64(row!.leaf)], ["as it was", leaf]);
    assert.deepEqual(await knownOf(store, { ...message, sha256 }), [true]);
    row!.leaf.fill(0);
    assert.deepEqual((await store.hashes({ height: 0, start: 0, end: 1 })).map(base64), [leaf]);
  });

  contract("a log that is closed says so, however often it is closed", async ({ store, another }) => {
    const closed = await another();
    const lease = await leaseOf(store);
    const base = await store.state();
    await closed.close();
    await closed.close();
    const calls: readonly (() => Promise<unknown>)[] = [
      () => closed.state(),
      () => closed.integrate(base, addition(base), lease),
      () => closed.published(1),
      () => closed.latest([]),
      () => closed.heads({ only: "live", after: null, limit: 1 }),
      () => closed.entries({ from: 0, limit: 1 }),
      () => closed.counts(),
      () => closed.positions([newEntryId()]),
      () => closed.find({}, { order: "oldest", after: null, limit: 1 }),
      () => closed.hashes({ height: 0, start: 0, end: 1 }),
      () => closed.streams("keys", { after: null, limit: 1 }),
      () => closed.forgettable({ before: day(1), keep: [], from: 0, limit: 1 }),
      () => closed.namedKeys({ after: null, limit: 1 }),
      () => closed.forget([{ from: 0, to: 1 }]),
      () => closed.requireRoom(),
      () => closed.ping(),
      () => closed.gate.current(),
    ];
    for (const call of calls) await rejects("store-closed", call);
    await add(store, lease);
  });
}
