/**
 * What waits in an outbox, examined: whether it is what a process of this vault wrote there.
 */
import { shown } from "@strongroom/base/shown";
import type { OutboxName } from "../stores/audit-log.ts";
import type { StreamId, WaitingEntry } from "../stores/outbox.ts";
import type { AuditKeys } from "./audit-keys.ts";
import { tagsOf } from "./derived.ts";
import type { EntryText } from "./entry.ts";
import { isEntryId, parseEntry } from "./entry-text.ts";
import { LOG_STREAM } from "./log-entries.ts";

/** An entry that waits, and what it is. */
export interface Examined {
  readonly outbox: OutboxName;
  readonly row: WaitingEntry;
  /** By its text, which is authentic; null: it is not. */
  readonly entry: EntryText | null;
  /** What is wrong with it, as an entry of the log names it; null: nothing. */
  readonly altered: Alteration | null;
}

/**
 * `text`: it is not what its authentication code is of. `columns`: the text is authentic, and the row says something
 * else of it. `copy`: it is in the outbox twice, or came back after it had been carried to the log. `number`: another
 * entry had its number.
 */
export type Alteration = "text" | "columns" | "copy" | "number";

/** Whether a row is what was written, and what it says. */
export function examine(keys: Pick<AuditKeys, "verifies">, outbox: OutboxName, row: WaitingEntry): Examined {
  const entry = keys.verifies(row.text, row.mac) ? parseEntry(row.text) : null;
  if (entry === null || entry.stream === LOG_STREAM) return { outbox, row, entry: null, altered: "text" };
  return { outbox, row, entry, altered: saysTheSame(row, entry) ? null : "columns" };
}

function saysTheSame(row: WaitingEntry, entry: EntryText): boolean {
  const [tag = null] = tagsOf(entry);
  return (
    row.id === entry.id &&
    row.stream === entry.stream &&
    row.number === entry.number &&
    row.ends === (entry.ends === true) &&
    row.tag === tag
  );
}

/** What an entry of the log tells of an altered row: as the row has it, cut. */
export function alteredDetails({ outbox, row, altered }: Examined): Record<string, string | number> {
  return {
    outbox,
    stream: shown(row.stream),
    number: Number.isSafeInteger(row.number) ? row.number : 0,
    entry: shown(row.id),
    what: altered ?? "columns",
  };
}

/** Where an altered row claims to stand; null: nowhere. */
export function claimedPlace({ row }: Examined): { readonly stream: StreamId; readonly number: number } | null {
  const { stream, number } = row;
  return isEntryId(stream) && Number.isSafeInteger(number) && number > 0 ? { stream, number } : null;
}

/**
 * The same entries, each behind the one that it names as the one before it of its address, and behind that before it of
 * its stream. An outbox gives them so; where a store should not, what it gives is put in order rather than told as
 * altered.
 */
export function inOrder(given: readonly Examined[]): readonly Examined[] {
  const indexes = new Map<string, number>();
  for (const [index, { entry }] of given.entries()) if (entry !== null) indexes.set(entry.id, index);
  const isBehind = ({ entry }: Examined, index: number): boolean =>
    entry?.records?.some(({ previous }) => (indexes.get(previous ?? "") ?? -1) > index) ?? false;
  if (!given.some(isBehind)) return given;
  const ordered: Examined[] = [];
  const state = new Uint8Array(given.length);
  const lastOf = new Map<string, number>();
  const before = given.map(({ outbox, entry }, index) => {
    if (entry === null) return [];
    const stream = `${outbox}/${entry.stream}`;
    const last = lastOf.get(stream);
    lastOf.set(stream, index);
    const previous = (entry.records ?? []).map((record) => indexes.get(record.previous ?? ""));
    return [last, ...previous].filter((one) => one !== undefined);
  });
  // Depth first, without recursion: a chain may be as long as the batch.
  for (let start = 0; start < given.length; start++) {
    const path = [start];
    for (let at = path.at(-1); at !== undefined; at = path.at(-1)) {
      const first = state[at] === 0 ? before[at]?.find((one) => state[one] === 0) : undefined;
      const one = given[at];
      if (first !== undefined && !path.includes(first)) {
        path.push(first);
        continue;
      }
      if (state[at] === 0 && one !== undefined) ordered.push(one);
      state[at] = 1;
      path.pop();
    }
  }
  return ordered;
}
