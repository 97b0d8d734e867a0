/**
 * One record: its rows, each of its versions opened, whom they are about, and all of that against the audit's log.
 *
 * Others write meanwhile. What is found wrong counts only if the record's head is the same before and after it was
 * looked at; else the record is looked at again. What the log says is compared as a read does it (audit/histories.ts),
 * and that looks again at what does not fit.
 */
import { parseEntry } from "../audit/entry-text.ts";
import { VaultError } from "../errors.ts";
import type { Address, Version } from "../records/address.ts";
import { peopleOf } from "../records/people.ts";
import { recordState } from "../records/read.ts";
import { openVersion, storedAddress } from "../records/version.ts";
import type { AddressTag, WaitingEntry } from "../stores/outbox.ts";
import type { RecordRows, StoredMessage, VersionRow } from "../stores/rows.ts";
import type { LinkedRecords } from "./linked-records.ts";
import { newLook, note } from "./look.ts";
import type { Found, Look } from "./look.ts";
import { lookAtMessageWraps } from "./message-wraps.ts";
import { countUnopened, isUnopened, ofOne } from "./parts.ts";
import type { VerifiedAudit, VerifyRun } from "./parts.ts";
import { VERIFY_CODES } from "./report.ts";
import type { VerifyCode, VerifyPlace } from "./report.ts";
import { misplacedTags } from "./verify-tags.ts";

/** Versions that are held at a time: each may be a megabyte. */
const PAGE = 16;

/** Looks at a record that is written to again and again. */
const LOOKS = 16;

/** A record as the list of its collection has it. */
export interface FoundRecord {
  readonly address: Address;
  readonly sealedId: Uint8Array | null;
  /** The same, as the list has it by now; null: it is in it no more. */
  readonly again: () => Promise<Pick<FoundRecord, "sealedId"> | null>;
}

export async function verifyRecord(run: VerifyRun, record: FoundRecord, linked: LinkedRecords): Promise<void> {
  const { findings, signal } = run;
  for (let looks = 1; looks <= LOOKS; looks++) {
    signal?.throwIfAborted();
    const look = newLook();
    if (!(await lookAt(run, record, linked, look))) continue;
    findings.looked("records");
    findings.looked("versions", look.versions);
    findings.looked("wraps", look.wraps);
    findings.looked("erased", look.erased);
    for (const one of look.unopened) countUnopened(findings, one);
    for (const { code, message, owed, ...place } of look.found)
      findings.add({ code, message, place: placeOf(record, place), ...(owed === undefined ? {} : { owed }) });
    return;
  }
  findings.unsettled();
}

function placeOf({ address }: FoundRecord, { version, region, person }: Partial<Found>): VerifyPlace {
  const { collection, id } = address;
  if (person !== undefined) return { kind: "person", person, collection, id };
  return { kind: "record", collection, id, version: version ?? null, ...(region === undefined ? {} : { region }) };
}

/** @returns whether the record stayed what it was meanwhile */
async function lookAt(run: VerifyRun, record: FoundRecord, linked: LinkedRecords, look: Look): Promise<boolean> {
  const { address } = record;
  const { store, subjectKeys } = run.records;
  let page = await store.records.versions(address, { before: null, limit: PAGE });
  const rows: RecordRows = page;
  const newest = stateOf(rows, look);
  let next: number | null = newest;
  for (;;) {
    const seen: StoredMessage[] = [];
    for (const row of page.versions) {
      // A record that is live has no holes in its numbers: a removal takes all versions away.
      if (next !== null && row.version < next) look.found.push(missing(row.version + 1, next));
      if (next !== null) next = row.version - 1;
      const stored = await lookAtVersion(run, address, row, look);
      if (stored !== null) seen.push(stored);
    }
    if (!(await isOfLog(run, address, rows, { seen, look }))) return false;
    const before = page.versions.at(-1)?.version;
    if (before === undefined || page.versions.length < PAGE) break;
    page = await store.records.versions(address, { before, limit: PAGE });
  }
  if (newest !== null && next !== null) await lookForFirst(run, address, next, look);
  if (newest !== null && subjectKeys !== null) await lookAtId(run, record, look);
  if (newest !== null)
    for (const person of look.people)
      if (!(await linked.has(person, address)))
        look.found.push({ code: "link-missing", message: VERIFY_CODES["link-missing"], person });
  if (newest !== null && look.newest?.stored.version === newest && !(await lookAtTags(run, address, look)))
    return false;
  return isStill(run, address, rows);
}

/** The number of the newest version; null: the record has none, or its rows do not fit together. */
function stateOf(rows: RecordRows, look: Look): number | null {
  try {
    const state = recordState(rows);
    return state.kind === "live" ? state.version : null;
  } catch (error) {
    note(look, ofOne(error));
    return null;
  }
}

function missing(from: number, to: number): Found {
  const which = from === to ? `Version ${from}` : `Versions ${from} to ${to}`;
  return { code: "version-missing", message: `${which} of the record: there is no row`, version: to as Version };
}

/** Opens one version; the message is given back, to be compared with the log. */
async function lookAtVersion(
  run: VerifyRun,
  address: Address,
  { version }: VersionRow,
  look: Look,
): Promise<StoredMessage | null> {
  const { store, keys, subjectKeys } = run.records;
  const { signal } = run;
  const { stored, subjects, damage } = await store.records.read(address, version);
  look.versions++;
  if (stored === null) {
    const which = damage === undefined ? "is gone" : `holds what no vault writes: ${damage}`;
    note(look, new VaultError("record-tampered", `The row of the version ${which}`), version);
    return null;
  }
  try {
    if (stored.scheme === 2 && subjectKeys !== null) {
      for (const id of peopleOf(address.collection, stored)) {
        look.people.add(id);
        const row = subjects.find((one) => one.id === id);
        if (row === undefined)
          look.found.push({ code: "person-missing", message: VERIFY_CODES["person-missing"], person: id });
        else if (row.state === "erasing" || row.state === "erased") look.hasErased = true;
      }
    }
    const of = storedAddress(address, stored, subjectKeys);
    const document = await openVersion(stored.message, of, { keys, subjectKeys, signal });
    look.newest ??= { stored, document };
    if (run.regions === "each") await lookAtMessageWraps(run, { address, of, stored }, look);
  } catch (error) {
    await noteUnopened(run, ofOne(error), look, version);
  }
  return stored;
}

/** What could not be opened: for now, for ever, or because somebody was erased. */
async function noteUnopened(run: VerifyRun, error: VaultError, look: Look, version?: Version): Promise<void> {
  if (isUnopened(error)) look.unopened.push(error);
  else if (OF_ERASED.has(error.code) && (await hasErased(run, look))) look.erased++;
  else note(look, error, version);
}

const OF_ERASED: ReadonlySet<VerifyCode> = new Set<VerifyCode>(["subject-key-absent", "subject-erased"]);

/** Whether one of the people was erased: also since it was read. */
async function hasErased({ records: { store } }: VerifyRun, look: Look): Promise<boolean> {
  if (look.hasErased) return true;
  const rows = await store.subjects.get([...look.people]);
  look.hasErased = rows.some((row) => row !== null && (row.state === "erasing" || row.state === "erased"));
  return look.hasErased;
}

/**
 * Whether the record's rows are still those of the log, and each message is one that it knows.
 *
 * @returns false: the record has changed since
 */
async function isOfLog(
  { audit }: VerifyRun,
  row: Address,
  rows: RecordRows,
  { seen, look }: { readonly seen: readonly StoredMessage[]; readonly look: Look },
): Promise<boolean> {
  if (audit === null) return true;
  const asked = [{ version: null, message: null }, ...seen];
  const all = await Promise.allSettled(
    asked.map(({ version, message }) => audit.auditor.requireNewest([{ row, rows, version, message }])),
  );
  for (const [index, one] of all.entries()) {
    if (one.status === "fulfilled" && one.value === "overtaken") return false;
    if (one.status === "fulfilled") continue;
    const error = ofOne(one.reason);
    // What is wrong with the head is wrong with each of them, and is told once.
    if (look.found.some(({ code, message }) => code === error.code && message === error.message)) continue;
    note(look, error, asked[index]?.version ?? undefined);
    if (index === 0) break;
  }
  return true;
}

/**
 * That the oldest row is the first version that the log knows; of a record that was removed, with a removal that waits
 * to be in the log, the first one since.
 *
 * @param before the number before the oldest row's
 */
async function lookForFirst(
  { audit, records }: VerifyRun,
  address: Address,
  before: number,
  look: Look,
): Promise<void> {
  if (audit === null || before === 0) return;
  const tag = audit.keys.tag(address);
  // In this order: what waits no more is in the log.
  const removals = (await records.store.outbox.pending([tag])).flatMap((row) => removalsOf(audit, row, tag));
  const [known = null] = await audit.log.firstVersions([tag]);
  const last = removals.at(-1);
  const first = last === undefined ? known : last + 1;
  if (first !== null && first <= before) look.found.push(missing(first, before));
}

/** The number at which an entry says that the address was removed. */
function removalsOf({ keys }: VerifiedAudit, { text, mac }: WaitingEntry, tag: AddressTag): readonly number[] {
  const entry = keys.verifies(text, mac) ? parseEntry(text) : null;
  const records = entry?.action === "remove" && entry.result === "done" ? (entry.records ?? []) : [];
  return records.flatMap((record) => (record.tag === tag ? (record.version ?? []) : []));
}

/** @returns false: the indexes kept changing meanwhile */
async function lookAtTags(run: VerifyRun, address: Address, look: Look): Promise<boolean> {
  try {
    const found = await misplacedTags(run, address, look);
    if (found === null) return false;
    // Of somebody who is being erased the tags go before the records do.
    if (found.length === 0 || (await hasErased(run, look))) return true;
    for (const one of found) look.found.push(one);
  } catch (error) {
    await noteUnopened(run, ofOne(error), look);
  }
  return true;
}

/** That the record's own id opens, where it is sealed. */
async function lookAtId(run: VerifyRun, record: FoundRecord, look: Look): Promise<void> {
  const { rowAddresses, subjectKeys } = run.records;
  const { collection, id: rowId } = record.address;
  let { sealedId } = record;
  for (let looks = 1; looks <= 2; looks++) {
    try {
      if (!rowAddresses.isDeclared(collection, { sealedId }))
        throw new VaultError("collection-differs", "The record is of the other kind than its collection is declared");
      if (sealedId !== null) await subjectKeys?.openId(sealedId, { collection, rowId }, run.signal);
      return;
    } catch (error) {
      // What was listed may have been of a record of before, whose key is gone.
      const now = looks === 1 ? await record.again() : null;
      if (now === null && looks === 1) return;
      if (now !== null && !isEqual(now.sealedId, sealedId)) ({ sealedId } = now);
      else {
        await noteUnopened(run, ofOne(error), look);
        return;
      }
    }
  }
}

function isEqual(one: Uint8Array | null, other: Uint8Array | null): boolean {
  return one === null || other === null ? one === other : Buffer.compare(one, other) === 0;
}

/** Whether the record is where it was when it was begun to be looked at. */
async function isStill({ records: { store } }: VerifyRun, address: Address, rows: RecordRows): Promise<boolean> {
  const [now] = await store.records.heads([address]);
  return (
    now !== undefined &&
    now.head?.version === rows.head?.version &&
    now.head?.state === rows.head?.state &&
    now.entry === rows.entry &&
    now.newestRow === rows.newestRow
  );
}
