/**
 * How a log of the audit in memory grows: one addition after the other, in the order in which its parts are told.
 */
import { refused } from "../checked.ts";
import type { Addition, LogState } from "../audit-log.ts";
import type { Lease } from "../jobs.ts";
import { isHeld } from "./jobs.ts";
import { messageKey, subtreeKey } from "./log-tables.ts";
import type { LogTables } from "./log-tables.ts";

/** @throws VaultError `store-failed`: an entry is in the log already */
export function integrate(
  tables: LogTables,
  { base, addition, lease }: { base: Pick<LogState, "history" | "size">; addition: Addition; lease: Lease },
): "integrated" | "overtaken" {
  const { state, entries, positions } = tables;
  if (state.history !== base.history || state.size !== base.size || !isHeld(tables, lease)) return "overtaken";
  if (addition.entries.some(({ id }) => positions.has(id))) throw refused("an entry is in the log already");
  for (const entry of addition.entries) {
    positions.set(entry.id, entries.length);
    entries.push({ ...entry, position: entries.length });
  }
  for (const { height, index, hash } of addition.subtrees) tables.subtrees.set(subtreeKey(height, index), hash);
  addAddresses(tables, addition);
  addStreams(tables, addition);
  tables.state = {
    ...addition.state,
    published: Math.max(state.published, addition.state.published),
    forgotten: Math.max(state.forgotten, addition.state.forgotten),
  };
  return "integrated";
}

function addAddresses({ heads, messages }: LogTables, addition: Addition): void {
  if (addition.begins) {
    heads.clear();
    messages.clear();
  }
  for (const head of addition.heads) heads.set(head.tag, head);
  for (const tag of addition.removed) messages.delete(tag);
  for (const { tag, version, sha256 } of addition.messages)
    messages.set(tag, new Set([...(messages.get(tag) ?? []), messageKey(version, sha256)]));
}

function addStreams({ known }: LogTables, { begins, streams, closed }: Addition): void {
  if (begins) for (const all of Object.values(known)) all.clear();
  for (const stream of streams) known[stream.outbox].set(stream.stream, stream);
  for (const { outbox, stream } of closed) known[outbox].delete(stream);
}
