/**
 * Writes one record: a new version, or its removal. Each change is prepared against the head as it was read, and is
 * made only if the head still is that (compare-and-swap); a writer that lost prepares anew.
 */
import { setTimeout as delay } from "node:timers/promises";
import { VaultError } from "../errors.ts";
import type { Dependencies } from "../limits.ts";
import type { Change, RecordRows, RecordStore, RemoveChange, WrapCount, WriteChange } from "../store.ts";
import { parseSubject, parseVersion } from "./address.ts";
import type { Address, Version } from "./address.ts";
import { encodeDocument } from "./document.ts";
import type { JsonObject } from "./document.ts";
import { newVersion } from "./new-version.ts";
import { recordAbsent, recordState } from "./read.ts";
import type { RecordState } from "./read.ts";

/** What a writer expects to find: the condition of a conditional write. */
export type Expectation =
  /** Whatever is there; the write is repeated until it lands. */
  | { readonly kind: "any" }
  /** No record. */
  | { readonly kind: "absent" }
  /** Some record, at whatever version. */
  | { readonly kind: "present" }
  /** The record, at exactly this version. */
  | { readonly kind: "version"; readonly version: number };

/** How a record is written. */
export interface PutOptions {
  /** Whom the record is about. Left out: as it is; of a new record, its id. */
  readonly subject?: string;
  /** Left out: whatever is there. */
  readonly expect?: Expectation;
  readonly signal?: AbortSignal;
}

/** How a record is removed. */
export interface RemoveOptions {
  /** Left out: whatever is there. */
  readonly expect?: Expectation;
}

/** The wraps of a data key: how many are stored, how many are wanted. */
export interface WrapSummary extends WrapCount {
  /** Regions whose wrap is missing and owed. */
  readonly missing: readonly string[];
}

/** A version that was written. */
export interface PutResult {
  readonly collection: string;
  readonly id: string;
  readonly subject: string;
  readonly version: number;
  /** ISO 8601, UTC. */
  readonly createdAt: string;
  /** `created` also for a record that was removed before. */
  readonly outcome: "created" | "replaced";
  readonly wraps: WrapSummary;
}

/** A record that was removed. */
export interface RemoveResult {
  readonly collection: string;
  readonly id: string;
  /** The last version that the record had; the next one written gets the number after it. */
  readonly lastVersion: number;
  readonly removedAt: string;
}

const ANY: Expectation = { kind: "any" };

/** Longest random pause of a writer that lost against another process, in milliseconds. */
const RETRY_PAUSE_MS = 10;

/** `vault.put`. */
export async function put(
  dependencies: Dependencies,
  address: Address,
  document: JsonObject,
  { subject, expect = ANY, signal }: PutOptions,
): Promise<PutResult> {
  const newSubject = subject === undefined ? null : parseSubject(subject);
  // Before the first await: from then on the caller may change what it has given.
  const expected = { ...expect };
  const plaintext = encodeDocument(document, dependencies.limits);
  try {
    return await untilCommitted<PutResult>(dependencies, address, async () => {
      requireNotAborted(signal);
      const rows = await recordHead(dependencies.store, address);
      const state = recordState(rows);
      requireExpected(expected, state);
      const change = await newVersion(
        dependencies,
        address,
        { head: rows.head, state, subject: null },
        { plaintext, subject: newSubject, signal },
      );
      requireNotAborted(signal);
      const { version, createdAt } = change.next;
      const outcome = state.kind === "live" ? "replaced" : "created";
      return {
        change,
        result: { ...address, subject: change.next.subject, version, createdAt, outcome, wraps: wrapSummary(change) },
      };
    });
  } finally {
    plaintext.fill(0);
  }
}

/** `vault.remove`. */
export async function remove(
  dependencies: Dependencies,
  address: Address,
  { expect = ANY }: RemoveOptions,
): Promise<RemoveResult> {
  const expected = { ...expect };
  return untilCommitted(dependencies, address, async () => {
    const rows = await recordHead(dependencies.store, address);
    const { head, newestRow, damage } = rows;
    if (expected.kind !== "any") requireExpected(expected, recordState(rows));
    // "There is no such record" may be expected of a removal, and leaves nothing to remove.
    if (damage === undefined && newestRow === null && head?.state !== "live") throw recordAbsent();
    const tombstone = Math.max(head?.version ?? 0, newestRow ?? 0, 1) as Version;
    const removedAt = dependencies.clock().toISOString();
    const base = damage === undefined ? head : "damaged";
    const change: RemoveChange = { kind: "remove", address, base, tombstone, removedAt };
    return { change, result: { ...address, lastVersion: tombstone, removedAt } };
  });
}

/** Prepares a change and commits it, again and again until no other writer came in between. */
async function untilCommitted<Result>(
  { store, limits, turns }: Dependencies,
  { collection, id }: Address,
  prepare: () => Promise<{ readonly change: Change; readonly result: Result }>,
): Promise<Result> {
  return turns.take(`${collection}/${id}`, async () => {
    for (let attempt = 1; attempt <= limits.writeAttempts; attempt++) {
      const { change, result } = await prepare();
      if ((await store.commit([change])).kind === "committed") return result;
      await delay(Math.random() * RETRY_PAUSE_MS);
    }
    throw new VaultError("record-contended", "Other writers kept changing the record; nothing was stored");
  });
}

async function recordHead(store: RecordStore, address: Address): Promise<RecordRows> {
  const [head] = await store.heads([address]);
  if (head === undefined) throw new VaultError("store-failed", "The store gave no answer for a record");
  return head;
}

/** @throws VaultError `version-conflict` with the version there is, `version-invalid` */
function requireExpected(expect: Expectation, state: RecordState): void {
  const current = state.kind === "live" ? state.version : null;
  const found = current === null ? "there is no such record" : `it is at version ${current}`;
  const conflict = (expected: string): VaultError =>
    new VaultError("version-conflict", `The write expects ${expected}, but ${found}`, { currentVersion: current });
  switch (expect.kind) {
    case "any":
      return;
    case "absent":
      if (current !== null) throw conflict("no record");
      return;
    case "present":
      if (current === null) throw conflict("a record");
      return;
    case "version":
      if (parseVersion(expect.version) !== current) throw conflict(`the record at version ${expect.version}`);
  }
}

/** @throws VaultError `aborted` */
function requireNotAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted === true) throw new VaultError("aborted", "The caller gave up; nothing was stored");
}

/** What a change says of its data key's wraps. */
export function wrapSummary({ next, missing }: WriteChange): WrapSummary {
  return { ...next.wraps, missing: missing.map(({ region }) => region) };
}
