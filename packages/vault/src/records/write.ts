/**
 * Writes one record: a new version, or its removal. Each change is prepared against the head as it was read, and is
 * made only if the head still is that (compare-and-swap); a writer that lost prepares anew.
 */
import { setTimeout as delay } from "node:timers/promises";
import { shown } from "@strongroom/base/shown";
import type { ChangeFacts } from "../audit/auditor.ts";
import { isVaultError, VaultError } from "../errors.ts";
import type { VaultErrorCode } from "../errors.ts";
import type { KeyUseOfWrite } from "../keys/cost.ts";
import type { Dependencies } from "../limits.ts";
import type { RecordRows, WrapCount } from "../stores/rows.ts";
import type { RecordStore } from "../stores/store.ts";
import type { WrapSet } from "../stores/wrap-set.ts";
import { parseVersion } from "./address.ts";
import type { Address, Collection, Place, Version } from "./address.ts";
import { concerned, OVERTAKEN } from "./asked.ts";
import type { Asked, Newest } from "./asked.ts";
import { requireConsents } from "./consent.ts";
import { encodeDocument } from "./document.ts";
import type { JsonObject } from "./document.ts";
import { sealersFor, sealingFor, sealVersion, taggerFor, versionBefore } from "./new-version.ts";
import type { SealedNewVersion } from "./new-version.ts";
import { answered, closedError, everybody, FreshTries, isClosed, mentioned, provePeople } from "./people.ts";
import { nextVersion, recordAbsent, recordState } from "./read.ts";
import type { RecordState, RecordVersion } from "./read.ts";
import { whomItWasAbout } from "./removed-people.ts";
import { makeUnits, messagesOf, newWriteId, requireUnitFits } from "./units.ts";
import type { Drafted, MakeOptions, Settled } from "./units.ts";
import { keySetMoved } from "./version.ts";
import { concernOf, isInherited, takenWhom } from "./whom.ts";
import type { Before, Stated, WhomOptions } from "./whom.ts";

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
export interface PutOptions extends WhomOptions {
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
export interface PutResult extends RecordVersion {
  /** `created` also for a record that was removed before. */
  readonly outcome: "created" | "replaced";
  /** Of the key that sealed it: the version's own in `record` scope, the person's or collection's otherwise. */
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
  options: PutOptions,
  asked: Asked,
): Promise<PutResult> {
  asked.uses(address.collection);
  // Before the first await: from then on the caller may change what it has given.
  const given = takenPut(dependencies, address, document, options);
  try {
    const how = { asked, signal: given.signal };
    return await untilMade(dependencies, address, how, () => preparePut(dependencies, address, given, asked));
  } finally {
    given.plaintext.fill(0);
  }
}

/** What a caller gave, which nobody changes any more. */
export interface TakenPut {
  /** Whoever took it wipes it. */
  readonly plaintext: Buffer;
  readonly stated: Stated;
  readonly expect: Expectation;
  readonly signal: AbortSignal | undefined;
}

/**
 * @throws VaultError `subject-invalid`, `tenant-invalid`, `document-invalid`, `document-unfit`, `document-too-large`
 */
export function takenPut(
  { limits, store, subjectKeys, declarations }: Pick<Dependencies, "limits" | "store" | "subjectKeys" | "declarations">,
  { collection }: Pick<Address, "collection">,
  document: JsonObject,
  { expect = ANY, signal, ...whom }: PutOptions,
): TakenPut {
  const stated = takenWhom(whom, { subjectKeys });
  const plaintext = encodeDocument(document, limits, declarations.of(collection).schema);
  try {
    requireUnitFits(store, [plaintext]);
  } catch (error) {
    plaintext.fill(0);
    throw error;
  }
  return { plaintext, stated, expect: { ...expect }, signal };
}

/** A unit, and what it comes to when it is made. */
export interface PreparedUnit<Result> extends Drafted {
  readonly result: Result;
  /** What is counted when it is made; null: it used no key. */
  readonly use: KeyUseOfWrite | null;
}

/**
 * The new version on top of what is there now, sealed under the keys in force. `OVERTAKEN`: what is there changed
 * between the store and the audit's log.
 */
export async function preparePut(
  dependencies: Dependencies,
  address: Address,
  { plaintext, stated, expect, signal }: TakenPut,
  asked: Asked,
): Promise<PreparedUnit<PutResult> | typeof OVERTAKEN> {
  const { store, rowAddresses } = dependencies;
  requireNotAborted(signal);
  const { sealing, open } = await sealingFor(dependencies, address.collection);
  const row = await rowAddresses.of(address, signal);
  const place = { address, row };
  asked.concerns(place, null);
  const rows = await recordHead(store.records, row);
  const state = recordState(rows);
  try {
    requireExpected(expect, versionOf(state));
  } catch (conflict) {
    // What it tells of the record is to be true.
    if (!(await asked.areNewest([{ row, rows, version: null, message: null }]))) return OVERTAKEN;
    throw conflict;
  }
  const version = nextVersion(state);
  const stored = await versionBefore(dependencies, row, state, signal);
  asked.concerns(place, stored);
  // Beside the sealing, so that it costs no time: what is sealed on the word of a forged row is not stored.
  const proof =
    stored !== null && isInherited(stated, { stored }) ? provePeople(dependencies, row, stored, signal) : null;
  const before = { row, rows, version: stored?.version ?? null, message: stored?.message ?? null };
  const [proved, sealed, newest] = await Promise.allSettled([proof, seal(), asked.areNewest([before])]);
  if (newest.status === "rejected") throw newest.reason;
  if (!newest.value) return OVERTAKEN;
  if (sealed.status === "rejected") throw sealed.reason;
  if (proved.status === "rejected") throw proved.reason;
  const { next, people, sealedId, names, wrapSet, use, tags } = sealed.value;
  await requireConsents(dependencies, row, next, asked);
  requireUnitFits(store, messagesOf([next]));
  requireNotAborted(signal);
  const { createdAt } = next;
  const outcome = state.kind === "live" ? "replaced" : "created";
  const writeId = newWriteId();
  const facts = { writeId, action: "write", ...place, previous: rows.entry ?? null, versions: [next] } as const;
  return {
    draft: await asked.draft(changeOf(facts), asked.takeCalls()),
    unit: {
      writeId,
      address: row,
      base: rows.head,
      change: {
        kind: "write",
        epoch: sealing.epoch,
        versions: [next],
        subjects: everybody([...people, ...mentioned(row.collection, stored)]),
        sealedId,
        tags,
      },
    },
    result: { ...address, ...answered(names), version, createdAt, outcome, wraps: wrapSummary(wrapSet) },
    use,
  };

  async function seal(): Promise<SealedNewVersion> {
    const before: Before = stored === null ? { kind: "none" } : { kind: "stored", stored };
    const concern = await concernOf(dependencies, { address, stated, plaintext, before, signal });
    const [sealer] = await sealersFor(dependencies, [{ address, row, concern }], asked, signal);
    if (sealer === undefined) throw new VaultError("encryption-failed", "The keys gave no answer for a record");
    if (sealer instanceof Error) throw sealer;
    using held = sealer;
    using tagger = await taggerFor(dependencies, open, signal);
    return await sealVersion(dependencies, {
      tagger,
      address,
      row,
      version,
      plaintext,
      concern,
      sealer: held,
      sealing,
      signal,
    });
  }
}

/** `vault.remove`. */
export async function remove(
  dependencies: Dependencies,
  address: Address,
  { expect = ANY }: RemoveOptions,
  asked: Asked,
): Promise<RemoveResult> {
  const { keys, rowAddresses } = dependencies;
  asked.uses(address.collection);
  const expected = { ...expect };
  const made = await untilMade(dependencies, address, { asked, signal: undefined }, async () => {
    await keys.requireWriter();
    const place = { address, row: await rowAddresses.of(address) };
    asked.concerns(place, null);
    return prepareRemoval(dependencies, place, expected, asked);
  });
  return { ...address, ...made };
}

/**
 * Removes a record by its row, whatever is there, for no purpose that a collection declares: of somebody who is erased.
 * Where ids are sealed the record's own is not known any more.
 *
 * @throws VaultError `record-absent`, `record-contended`; the stores'
 */
export async function removeRow(
  dependencies: Dependencies,
  row: Address,
  { isSealed, asked }: { readonly isSealed: boolean; readonly asked: Asked },
): Promise<void> {
  const place = { address: { collection: row.collection, id: isSealed ? null : row.id }, row };
  await untilMade(dependencies, row, { asked, signal: undefined }, () =>
    prepareRemoval(dependencies, place, ANY, asked),
  );
}

/** Where a record lies, and its own id as far as it is known. */
interface RemovedPlace extends Pick<Place, "row"> {
  readonly address: Pick<Address, "collection"> & { readonly id: Address["id"] | null };
}

async function prepareRemoval(
  { store, clock }: Pick<Dependencies, "store" | "clock">,
  place: RemovedPlace,
  expected: Expectation,
  asked: Asked,
): Promise<PreparedUnit<Pick<RemoveResult, "lastVersion" | "removedAt">> | typeof OVERTAKEN> {
  const { address, row } = place;
  const rows = await recordHead(store.records, row);
  const about = asked.isAudited ? await whomItWasAbout(store.records, rows, row) : null;
  const found = about?.[0] ?? null;
  if (address.id !== null) asked.concerns({ address: { ...address, id: address.id }, row }, found);
  const wrong = await unlikeTheLog({ row, rows, version: null, message: null }, expected, asked);
  if (wrong === OVERTAKEN) return OVERTAKEN;
  const { head, newestRow, damage } = rows;
  if (expected.kind !== "any") requireExpected(expected, versionOf(recordState(rows)));
  // "There is no such record" may be expected of a removal, and leaves nothing to remove.
  // Where the row is gone that says so of a removed one, another is made.
  const isLost = head === null && wrong?.currentVersion !== undefined;
  if (damage === undefined && newestRow === null && head?.state !== "live" && !isLost) throw wrong ?? recordAbsent();
  // No number is used twice, also where the rows were set back.
  const tombstone = Math.max(head?.version ?? 0, newestRow ?? 0, wrong?.currentVersion ?? 0, 1) as Version;
  const removedAt = clock().toISOString();
  if (wrong !== null) await asked.tellRefusal("remove", wrong);
  const base = damage === undefined ? head : "damaged";
  const writeId = newWriteId();
  for (const more of about?.slice(1) ?? [])
    await asked.tell("remove", "begun", { concerned: [{ ...concerned(place, more, tombstone) }] });
  const { scheme = 2, subject = null, about: others = [] } = found ?? {};
  const versions = [{ version: tombstone, scheme, subject, about: others, message: null }];
  const facts = { writeId, action: "remove", row, id: address.id, previous: rows.entry ?? null, versions } as const;
  return {
    draft: await asked.draft(() => facts, asked.takeCalls()),
    unit: { writeId, address: row, base, change: { kind: "remove", tombstone, removedAt } },
    result: { lastVersion: tombstone, removedAt },
    use: null,
  };
}

/**
 * What is wrong with rows that are not those which the log knows; null: nothing. They may still be removed by whoever
 * expects nothing of them: they go whatever they hold, and that they were wrong is told besides.
 */
async function unlikeTheLog(
  newest: Newest,
  expected: Expectation,
  asked: Asked,
): Promise<VaultError | typeof OVERTAKEN | null> {
  try {
    return (await asked.areNewest([newest])) ? null : OVERTAKEN;
  } catch (error) {
    if (expected.kind !== "any" || !isVaultError(error) || !IS_WRONG.has(error.code)) throw error;
    return error;
  }
}

const IS_WRONG: ReadonlySet<VaultErrorCode> = new Set<VaultErrorCode>(["record-rolled-back", "record-tampered"]);

/** A change as the audit is told of it, when it is asked for. */
export function changeOf({
  address,
  ...facts
}: Omit<ChangeFacts, "id" | "kms"> & Pick<Place, "address">): () => Omit<ChangeFacts, "kms"> {
  return () => ({ ...facts, id: address.id });
}

/**
 * Prepares a unit and has it made, again and again until no other writer and no change of the key set came in between,
 * and no connection was lost on the way.
 */
async function untilMade<Result>(
  { store, keys, subjectKeys, rowAddresses, indexes, cost, limits, turns }: Dependencies,
  { collection, id }: Address,
  how: Pick<MakeOptions, "asked" | "signal">,
  prepare: () => Promise<PreparedUnit<Result> | typeof OVERTAKEN>,
): Promise<Result> {
  return turns.take(`${collection}/${id}`, async () => {
    let lost: Settled["kind"] | "overtaken" | undefined;
    const fresh = new FreshTries(subjectKeys);
    for (let attempt = 1; attempt <= limits.writeAttempts; attempt++) {
      const prepared = await prepare();
      if (prepared === OVERTAKEN) {
        lost = "overtaken";
        await delay(Math.random() * RETRY_PAUSE_MS);
        continue;
      }
      const { unit, result, use } = prepared;
      const [settled] = await makeUnits(store, [prepared], { ...how, atomic: false });
      if (settled?.kind === "made") {
        if (unit.change.kind === "write") rowAddresses.wrote(unit.address.collection);
        if (use !== null) cost?.wrote(use);
        return result;
      }
      lost = settled?.kind;
      if (isClosed(settled)) {
        if (fresh.mayTryAnew(settled)) continue;
        throw closedError(settled);
      }
      if (settled?.kind === "taken") throw takenError(indexes, collection, settled);
      if (lost === "gate-moved") keys.moved();
      else if (lost !== "void") await delay(Math.random() * RETRY_PAUSE_MS);
    }
    if (lost === "gate-moved") throw keySetMoved();
    if (lost === "void") throw connectionsLost();
    throw recordContended("Other writers kept changing the record; nothing was stored");
  });
}

/** The error for a value that another record has. */
export function takenError(
  indexes: Dependencies["indexes"],
  collection: Collection,
  { index }: Extract<Settled, { readonly kind: "taken" }>,
): VaultError {
  return indexes?.taken(collection, index) ?? new VaultError("value-taken", "Another record has that value");
}

/** The error for a store whose answers kept being lost, each time before the write was made. */
export function connectionsLost(): VaultError {
  return new VaultError("store-failed", "With each try the store was lost before the write was made");
}

/** The error for writers that kept coming in between. */
export function recordContended(message: string): VaultError {
  return new VaultError("record-contended", message);
}

async function recordHead(records: Pick<RecordStore, "heads">, address: Address): Promise<RecordRows> {
  const [head] = await records.heads([address]);
  if (head === undefined) throw new VaultError("store-failed", "The store gave no answer for a record");
  return head;
}

const versionOf = (state: RecordState): Version | null => (state.kind === "live" ? state.version : null);

/**
 * @param current null: there is no such record
 * @throws VaultError `version-conflict` with the version there is, `version-invalid`
 */
export function requireExpected(expect: Expectation, current: number | null): void {
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
export function requireNotAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted === true) throw new VaultError("aborted", "The caller gave up; nothing was stored");
}

/** What is told of a key's wraps. Of a person's key the account comes out of a database. */
export function wrapSummary({ wraps, target, missing }: WrapSet): WrapSummary {
  return { stored: wraps.length, target, missing: missing.map(({ region }) => shown(region)) };
}
