/**
 * A stream that is taken away as a whole, with its row, before the log knows of it leaves no hole, nor does its end if
 * its number is set back: its writer tells, while it lives and when it closes, and the log has it for ever.
 */
import assert from "node:assert/strict";
import test from "node:test";
import type { TestContext } from "node:test";
import type { AuditLog, Vault } from "@strongroom/vault";
import { memoryAuditLog, MemoryAuditStorage } from "@strongroom/vault/memory";
import { STORE_STREAM } from "../../src/stores/outbox.ts";
import { tablesOf } from "../../src/stores/memory/memory-storage.ts";
import { parseEntry } from "../../src/audit/entry-text.ts";
import type { EntryText } from "../../src/audit/entry.ts";
import { auditedVault } from "../support/audited-vault.ts";

test("a stream of a living process that is taken away with its row is told by name", async (t) => {
  const { vault, memory } = await auditedVault(t);
  const { outbox, streams } = tablesOf(memory);
  const ids = ["a", "b", "c", "d"];
  const putAll = (round: number): Promise<unknown> =>
    Promise.all(
      ids.map((id) =>
        vault.put({ collection: "people", id: `${id}${round}` }, { round }, { subject: "ada@example.com" }),
      ),
    );
  await putAll(1);
  await vault.audit!.sequence();
  assert.deepEqual((await vault.audit!.status()).alarms, []);
  // As if the log had not come to them yet.
  const fresh = [...streams.keys()].filter((stream) => stream !== STORE_STREAM);
  for (const stream of fresh) streams.delete(stream);
  await putAll(2);
  await vault.audit!.sequence();
  const { alarms } = await vault.audit!.status();
  const told = alarms.filter(({ code }) => code === "gap").map(({ message }) => message);
  assert.ok(fresh.length > 0 && fresh.every((stream) => told.some((message) => message.includes(stream))));
  assert.equal(outbox.size, 0);
});

const ADA = { collection: "people", id: "ada" };

/** A vault whose log takes nothing for a while, as if its sequencer were slow. */
async function slowLog(t: TestContext): Promise<{
  readonly vault: Vault;
  readonly another: () => Promise<Vault>;
  readonly hold: (isHeld: boolean) => void;
  /** Takes the newest of what waits of each lane away, and sets their numbers back, or their rows away too. */
  readonly take: (count: number) => ReadonlyMap<string, number>;
  readonly gaps: () => Promise<readonly EntryText[]>;
}> {
  let isHeld = false;
  const storage = new MemoryAuditStorage();
  const slow = (): AuditLog =>
    new Proxy(memoryAuditLog({ storage }), {
      get: (target, name) => {
        const member: unknown = Reflect.get(target, name);
        if (name === "integrate" && isHeld) return () => Promise.reject(new Error("slow"));
        return typeof member === "function" ? (member.bind(target) as unknown) : member;
      },
    });
  const { vault, memory, another } = await auditedVault(t, { audit: { log: slow() } });
  const { outbox, streams } = tablesOf(memory);
  return {
    vault,
    another: () => another({ audit: { log: slow() } }),
    hold: (whether) => {
      isHeld = whether;
    },
    take: (count) => {
      const taken = new Map<string, number>();
      for (const { position, stream, number } of [...outbox.first(Infinity)].reverse()) {
        const of = taken.get(stream) ?? 0;
        if (stream === STORE_STREAM || of >= count) continue;
        outbox.delete(position);
        taken.set(stream, of + 1);
        if (number === 1) streams.delete(stream);
        else streams.set(stream, { ...streams.get(stream)!, last: number - 1 });
      }
      return taken;
    },
    gaps: async () => {
      const rows = await memoryAuditLog({ storage }).find(
        { action: "gap" },
        { order: "oldest", after: null, limit: 100 },
      );
      return rows.map(({ text }) => parseEntry(text!)!);
    },
  };
}

/** That each stream has a gap of so many numbers, once, and that the log is right otherwise. */
async function requireTold(
  vault: Vault,
  gaps: readonly EntryText[],
  taken: ReadonlyMap<string, number>,
): Promise<void> {
  const told = gaps.map(({ details = {} }) => [details["stream"], Number(details["to"]) - Number(details["from"]) + 1]);
  assert.deepEqual(new Map(told as [string, number][]), taken);
  assert.equal(gaps.length, taken.size);
  assert.deepEqual((await vault.audit!.verify({})).problems, []);
}

test("a read that is taken away with the number of its stream is told by its writer, in the log", async (t) => {
  const { vault, hold, take, gaps } = await slowLog(t);
  await vault.put(ADA, { name: "ada" }, { subject: "ada@example.com" });
  await vault.audit!.sequence();
  hold(true);
  await vault.get(ADA);
  const taken = take(1);
  assert.equal(taken.size, 1);
  await vault.get(ADA);
  hold(false);
  await vault.audit!.sequence();
  await requireTold(vault, await gaps(), taken);
});

test("the same of a process that only closes", async (t) => {
  const { vault, another, hold, take, gaps } = await slowLog(t);
  await vault.put(ADA, { name: "ada" }, { subject: "ada@example.com" });
  await vault.audit!.sequence();
  hold(true);
  await vault.get(ADA);
  await vault.get(ADA);
  const taken = take(2);
  hold(false);
  await vault.close();
  const next = await another();
  await next.audit!.sequence();
  await requireTold(next, await gaps(), taken);
});

test("what a process that has closed says it wrote is in the log, or it is told", async (t) => {
  const { vault, another, hold, take, gaps } = await slowLog(t);
  await vault.put({ collection: "people", id: "bob" }, { name: "bob" }, { subject: "bob@example.com" });
  await vault.audit!.sequence();
  await vault.close();
  const reader = await another();
  await reader.audit!.sequence();
  hold(true);
  await reader.get({ collection: "people", id: "bob" });
  await reader.close();
  const taken = take(100);
  hold(false);
  const next = await another();
  await next.audit!.sequence();
  // The entry that ends the stream is not one of those that were listed.
  await requireTold(next, await gaps(), new Map([...taken].map(([stream, count]) => [stream, count - 1])));
});
