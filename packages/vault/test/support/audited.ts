/**
 * An audit over stores in memory, with a test in the sequencer's place: what waits is carried to the log when the test
 * says so, and the outbox may be held, made to fail, or lose its answers.
 */
import assert from "node:assert/strict";
import { hash, randomUUID } from "node:crypto";
import type { TestContext } from "node:test";
import type { Head, Store, SubjectId, Unit } from "@strongroom/vault";
import { memoryAuditLog, memoryKeyStore, memoryStore } from "@strongroom/vault/memory";
import type { MemoryKeyStorage, MemoryStorage } from "@strongroom/vault/memory";
import { defer } from "../../../../tests/support/defer.ts";
import type { AuditKeys } from "../../src/audit/audit-keys.ts";
import type { Auditor, ReleasedRead } from "../../src/audit/auditor.ts";
import { Derived } from "../../src/audit/derived.ts";
import type { EntryText } from "../../src/audit/entry.ts";
import { parseEntry } from "../../src/audit/entry-text.ts";
import { openAuditor } from "../../src/audit/open-auditor.ts";
import type { AuditorOptions, OpenedAuditor } from "../../src/audit/open-auditor.ts";
import type { Subject } from "../../src/records/address.ts";
import { aboutAll } from "../../src/store-contract/people.ts";
import { at, EPOCH, live, newVersion, remove, writeAll } from "../../src/store-contract/changes.ts";
import type { AuditLog, OutboxName } from "../../src/stores/audit-log.ts";
import type { KeyStore } from "../../src/stores/key-store.ts";
import type { Outbox } from "../../src/stores/outbox.ts";
import { parseActor } from "../../src/audit/actor.ts";
import { testKeys, VAULT } from "./subject-keys.ts";
import type { TestKeys, TestKeysOptions } from "./subject-keys.ts";

export interface Audited {
  readonly auditor: Auditor;
  readonly opened: OpenedAuditor;
  readonly store: Store;
  readonly keyStore: KeyStore;
  readonly log: AuditLog;
  readonly keys: AuditKeys;
  readonly subjectKeys: TestKeys;
  readonly alarms: readonly string[];
  /** What waits in an outbox, in the order in which it was written. */
  readonly waiting: (outbox?: OutboxName) => Promise<readonly EntryText[]>;
  /** Carries what waits to the log, at most so many. */
  readonly carry: (limit?: number) => Promise<void>;
  /** The log says that everything of before has an entry. */
  readonly adopted: () => Promise<void>;
  /** Writes the next version of a record about these people; the first is its subject. */
  readonly write: (id: string, people: readonly SubjectId[], message?: string) => Promise<void>;
  readonly remove: (id: string) => Promise<void>;
  /** A read of the record's newest version, as the records hand it over. */
  readonly read: (id: string, version?: number) => Promise<ReleasedRead>;
}

export interface AuditedOptions {
  readonly auditor?: Partial<AuditorOptions>;
  readonly storage?: MemoryStorage;
  readonly keyStorage?: MemoryKeyStorage;
  readonly log?: AuditLog;
  /** The outbox of the records, changed. */
  readonly outbox?: (outbox: Outbox) => Partial<Outbox>;
  readonly keys?: TestKeysOptions;
}

/** An audit that is open, and closed with the test. */
export async function audited(t: TestContext, options: AuditedOptions = {}): Promise<Audited> {
  const store = memoryStore(options.storage === undefined ? {} : { storage: options.storage });
  const keyStore = memoryKeyStore(options.keyStorage === undefined ? {} : { storage: options.keyStorage });
  const log = options.log ?? memoryAuditLog();
  if ((await store.gate.current()).epoch === EPOCH.none)
    await store.gate.flip({ from: EPOCH.none, digest: "0".repeat(64) });
  const subjectKeys = testKeys(t, { store: keyStore, ...options.keys });
  const keys = await subjectKeys.keys.audit(undefined);
  const alarms: string[] = [];
  const outbox = { ...store.outbox, ...options.outbox?.(store.outbox) };
  const opened = await openAuditor({
    store: { outbox, records: store.records },
    keyStore,
    log,
    keys,
    principal: "local",
    purposesOf: () => null,
    clock: () => new Date(),
    requireWhole: () => undefined,
    onAlarm: (code) => alarms.push(code),
    ...options.auditor,
  });
  defer(t, async () => {
    await opened.close();
    await Promise.all([store.close(), keyStore.close()]);
  });
  const { auditor } = opened;
  const outboxes = { records: store.outbox, keys: keyStore.outbox };
  const waiting: Audited["waiting"] = async (name = "records") => {
    const rows = await outboxes[name].take(10_000);
    return rows.map(({ text, mac }) => {
      assert.ok(keys.verifies(text, mac));
      return parseEntry(text) ?? assert.fail(`not an entry: ${Buffer.from(text).toString()}`);
    });
  };
  const carry = carrier(log, outboxes);
  const write: Audited["write"] = async (id, people, message) => {
    const [rows] = await store.records.heads([at(id)]);
    const base = rows?.head ?? null;
    const number = (base?.version ?? 0) + 1;
    const { subjects, ...about } = aboutAll(people);
    const version = newVersion(number, {
      ...about,
      ...(message === undefined ? {} : { message: Buffer.from(message) }),
    });
    const unit = writeAll(at(id), base, [version]);
    await made({ ...unit, change: { ...unit.change, subjects } }, base === null ? null : (rows?.entry ?? null));
  };
  const made = async (unit: Unit, previous: string | null): Promise<void> => {
    const { change } = unit;
    const versions =
      change.kind === "write"
        ? change.versions
        : [{ version: change.tombstone, scheme: 2 as const, subject: null, about: [], message: null }];
    const draft = await auditor.draft({
      writeId: unit.writeId,
      action: change.kind,
      row: unit.address,
      id: unit.address.id,
      previous: previous as never,
      versions,
      kms: [],
    });
    await auditor.numbered([draft], async ([entry]) => {
      const [result] = await store.records.apply([{ ...unit, entry }], { atomic: true });
      if (result?.kind === "stream-moved") return "moved";
      assert.deepEqual(result, { kind: "made" });
      return "made";
    });
  };
  return {
    ...{ auditor, opened, store, keyStore, log, keys, subjectKeys, alarms, waiting, carry, write },
    adopted: () => carry(0, { adopted: true }),
    remove: async (id) => {
      const [rows] = await store.records.heads([at(id)]);
      const version = rows?.head?.version ?? 0;
      await made(remove(at(id), live(version), version), rows?.entry ?? null);
    },
    read: async (id, version) => readOf(store, id, version),
  };
}

/** A read as the records hand it over. */
export async function readOf(store: Pick<Store, "records">, id: string, version?: number): Promise<ReleasedRead> {
  const { stored, head, newestRow, entry } = await store.records.read(at(id), (version ?? null) as never);
  const rows = { head, newestRow, ...(entry === undefined ? {} : { entry }) };
  return {
    row: at(id),
    id: at(id).id,
    version: stored?.version ?? null,
    scheme: stored?.scheme ?? null,
    subject: stored?.subject ?? null,
    about: stored?.about ?? [],
    rows,
    message: stored?.message ?? null,
    kms: [],
  };
}

/** A read that nobody has asked a store for. */
export const madeUpRead = (id: string, person: SubjectId | null): ReleasedRead => ({
  ...{ row: at(id), id: at(id).id, version: null, scheme: 2, about: [], message: null, kms: [] },
  subject: person as string as Subject | null,
  rows: { head: null, newestRow: null },
});

export const actor = (principal: string, more: object = {}): Parameters<Auditor["as"]>[0] =>
  parseActor({ principal, ...more });

type Carry = (limit?: number, state?: { readonly adopted: boolean }) => Promise<void>;

/** In the sequencer's place, without a tree. */
function carrier(log: AuditLog, outboxes: Readonly<Record<OutboxName, Outbox>>): Carry {
  return async (limit = 1_000, more = { adopted: false }) => {
    const job = `carry-${randomUUID()}`;
    await log.jobs.add(job, ["all"]);
    const lease = (await log.jobs.lease({ job, holder: "test", ms: 60_000 })) ?? assert.fail("no lease");
    for (const outbox of Object.values(outboxes)) {
      const rows = await outbox.take(limit);
      const entries = rows.map(({ text }) => parseEntry(text) ?? assert.fail("not an entry"));
      const derived = new Derived();
      for (const entry of entries) derived.apply(entry);
      const state = await log.state();
      const result = await log.integrate(
        state,
        {
          entries: entries.map((entry, index) => ({
            ...{ id: entry.id, at: entry.at, principal: entry.principal, action: entry.action, collection: null },
            text: rows[index]!.text,
            leaf: hash("sha256", rows[index]!.text, "buffer"),
            people: [],
          })),
          state: {
            ...state,
            history: state.history ?? randomUUID(),
            size: state.size + entries.length,
            adopted: state.adopted || more.adopted,
          },
          ...derived.all,
          ...{ subtrees: [], streams: [], closed: [], ended: [], begins: false },
        },
        lease,
      );
      assert.equal(result, "integrated");
      await outbox.drop(rows.map(({ position }) => position));
    }
  };
}

/** Not used any more when the test ends. */
export const deferred = (): { readonly promise: Promise<void>; readonly resolve: () => void } => {
  let resolve = (): void => undefined;
  const promise = new Promise<void>((done) => {
    resolve = done;
  });
  return { promise, resolve };
};

export type { Head };
export { VAULT };
