/**
 * Entries as the log takes them; and those that the log has of itself, which no outbox ever had: what its sequencer
 * found missing or altered, what it adopted, which restore was accepted. They have a stream of their own, whose numbers
 * are their positions, from 1.
 */
import { randomUUID } from "node:crypto";
import { leafHash } from "@strongroom/tlog/tree";
import type { NewLogEntry, WholeLogRow } from "../stores/audit-log.ts";
import type { EntryId, StreamId } from "../stores/outbox.ts";
import type { AuditAction, EntryRecord, EntryText } from "./entry.ts";
import { writeEntry } from "./entry-text.ts";

/** Of the entries that the log has of itself. */
export const LOG_STREAM: StreamId = "00000000-0000-4000-8000-000000000001" as string as StreamId;

/** Who writes them. */
export const LOG_PRINCIPAL = "strongroom:audit";

/** An entry of the log's own, before it has its position. */
export interface OwnEntry {
  readonly action: AuditAction;
  readonly collection?: string;
  readonly records?: readonly EntryRecord[];
  readonly details?: Readonly<Record<string, string | number | boolean | null>>;
}

/** An entry with its text. */
export interface PlacedEntry {
  readonly entry: EntryText;
  readonly text: Uint8Array;
}

/** Writes an entry of the log's own, for the position behind `size` entries. */
export function placeOwn({ action, collection, records, details }: OwnEntry, size: number, at: Date): PlacedEntry {
  const entry: EntryText = {
    v: 1,
    id: randomUUID() as string as EntryId,
    stream: LOG_STREAM,
    number: size + 1,
    at: at.toISOString(),
    action,
    result: "done",
    principal: LOG_PRINCIPAL,
    ...(collection === undefined ? {} : { collection }),
    ...(records === undefined ? {} : { records }),
    ...(details === undefined ? {} : { details }),
  };
  return { entry, text: writeEntry(entry) };
}

/** An entry as it is added to the log. */
export function logEntryOf({ entry, text }: PlacedEntry): NewLogEntry {
  const { id, at, principal, action, collection = null } = entry;
  return { id, text, leaf: leafHash(text), at, principal, action, collection, people: keysIn(entry) };
}

/** The keys that seal parts of an entry, each once. */
export function keysIn({ people = [] }: Pick<EntryText, "people">): readonly string[] {
  if (people.length < 2) return people.map(({ key }) => key);
  return [...new Set(people.map(({ key }) => key))];
}

/** Whether what stands beside an entry's text is what the text says. */
export function isBeside({ id, found }: WholeLogRow, entry: EntryText): boolean {
  const people = JSON.stringify([...found.people].sort()) === JSON.stringify([...keysIn(entry)].sort());
  const isFound =
    found.at === entry.at &&
    found.principal === entry.principal &&
    found.action === entry.action &&
    found.collection === (entry.collection ?? null);
  return id === entry.id && isFound && people;
}

/** Whether another history begins with an accepted restore: of a lost tail none does. */
export const begins = ({ details }: Pick<EntryText, "details">): boolean => details?.["tail"] === undefined;
