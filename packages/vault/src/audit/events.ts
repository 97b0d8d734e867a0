/**
 * Entries of the log as they are shown: verified, parsed, and opened as far as their keys are there.
 */
import { leafHash } from "@strongroom/tlog/tree";
import { VaultError } from "../errors.ts";
import type { LogRow } from "../stores/audit-log.ts";
import type { AuditKeys, PartOfEntry } from "./audit-keys.ts";
import type { EntryText, SealedPart } from "./entry.ts";
import { parseEntry } from "./entry-text.ts";
import type { AuditEvent, AuditRecord } from "./view.ts";

/** An entry of the log, and its row. */
export interface ReadEntry {
  readonly row: LogRow;
  readonly entry: EntryText;
}

/**
 * The entries of rows whose texts are there.
 *
 * @throws VaultError `record-tampered`: a text is not the one that its leaf is the hash of
 */
export function readEntries(rows: readonly LogRow[]): readonly ReadEntry[] {
  return rows.flatMap((row) => {
    if (row.text === null) return [];
    const entry = Buffer.compare(leafHash(row.text), row.leaf) === 0 ? parseEntry(row.text) : null;
    if (entry?.id !== row.id)
      throw new VaultError("record-tampered", `Entry ${row.position} of the audit's log was changed`);
    return [{ row, entry }];
  });
}

/**
 * Entries as events.
 *
 * @param only parts under these keys are opened; left out: all
 * @throws VaultError the key store's
 */
export async function eventsOf(
  read: readonly ReadEntry[],
  keys: Pick<AuditKeys, "openParts">,
  only?: ReadonlySet<string>,
): Promise<readonly AuditEvent[]> {
  const parts: PartOfEntry[] = [];
  const counts = read.map(({ entry }) => {
    const own = (entry.people ?? []).filter(({ key }) => only?.has(key) ?? true);
    for (const person of own) parts.push({ entry: entry.id, person });
    return own.length;
  });
  const opened = parts.length === 0 ? [] : await keys.openParts(parts);
  let at = 0;
  return read.map(({ row, entry }, index) => {
    const count = counts[index] ?? 0;
    at += count;
    return eventOf(row.position, entry, opened.slice(at - count, at));
  });
}

function eventOf(position: number, entry: EntryText, parts: readonly (SealedPart | null)[]): AuditEvent {
  const { id, at, action, result, principal, purpose, collection, kms = [], details = {} } = entry;
  const open = parts.filter((part) => part !== null);
  return {
    position,
    id,
    at,
    action,
    result,
    principal,
    purpose: purpose ?? null,
    ticket: open.find(({ ticket }) => ticket !== undefined)?.ticket ?? null,
    collection: collection ?? null,
    records: recordsOf(entry, open),
    people: open.flatMap(({ subject }) => (subject === null || subject.startsWith("collection:") ? [] : [subject])),
    kms,
    export: entry.export ?? null,
    label: open.find(({ label }) => label !== undefined)?.label ?? null,
    details,
  };
}

/** Each record once: in an entry about several people each part names it. */
function recordsOf({ records = [] }: EntryText, parts: readonly SealedPart[]): readonly AuditRecord[] {
  const named = new Map<string, AuditRecord>();
  for (const { subject, records: own } of parts)
    for (const [id, version] of own) {
      const key = JSON.stringify([id, version]);
      if (!named.has(key)) named.set(key, { id, version, subject });
    }
  if (named.size > 0) return [...named.values()];
  return records.map(({ version }) => ({ id: null, version, subject: null }));
}
