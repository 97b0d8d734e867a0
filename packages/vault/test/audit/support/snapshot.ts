/**
 * What a store in memory holds, kept and put back: a database that is set back to an older copy. And what somebody
 * changes in it who may write to the database.
 */
import { keyTablesOf } from "../../../src/stores/memory/key-tables.ts";
import { logTablesOf } from "../../../src/stores/memory/log-tables.ts";
import type { LogTables } from "../../../src/stores/memory/log-tables.ts";
import { tablesOf } from "../../../src/stores/memory/memory-storage.ts";
import type { KeptEntry, OutboxTable } from "../../../src/stores/memory/outbox-table.ts";
import type { CommonTables } from "../../../src/stores/memory/common-tables.ts";
import type { Rig } from "./rig.ts";

/** Names of the three stores. */
export type StoreName = "records" | "keys" | "log";

export const STORE_NAMES: readonly StoreName[] = ["records", "keys", "log"];

/** Where three stores lie. */
export type Places = Pick<Rig, "records" | "keyRows" | "log">;

export function tables(rig: Places, name: StoreName): CommonTables {
  if (name === "records") return tablesOf(rig.records);
  return name === "keys" ? keyTablesOf(rig.keyRows) : logTablesOf(rig.log);
}

export const logTables = (rig: Rig): LogTables => logTablesOf(rig.log);

/** Puts a store back to how it is now: call the result later, as often as wanted. */
export function keep(rig: Places, name: StoreName): () => void {
  const own = tables(rig, name) as unknown as Record<string, unknown>;
  const puts = Object.keys(own)
    // A lease is not set back: its process is another one by then.
    .filter((member) => member !== "partitions")
    .map((member) => keptMember(own, member));
  return () => {
    for (const put of puts) put();
  };
}

function keptMember(own: Record<string, unknown>, member: string): () => void {
  const value = own[member];
  if (value instanceof Map) {
    const rows = [...value];
    return () => {
      value.clear();
      for (const [key, row] of rows) value.set(key, row);
    };
  }
  if (Array.isArray(value)) {
    const rows = [...(value as unknown[])];
    return () => {
      value.splice(0, value.length, ...rows);
    };
  }
  if (isOutbox(value)) {
    const rows = value.first(Infinity);
    return () => {
      for (const { position } of value.first(Infinity)) value.delete(position);
      for (const row of rows) value.add(row);
    };
  }
  if (member === "known") {
    const puts = Object.keys(value as object).map((name) => keptMember(value as Record<string, unknown>, name));
    return () => {
      for (const put of puts) put();
    };
  }
  return () => {
    own[member] = value;
  };
}

const isOutbox = (value: unknown): value is OutboxTable =>
  typeof value === "object" && value !== null && "isWaiting" in value;

/** Changes the rows of an outbox: what `change` answers takes the place of each; null takes it away. */
export function changeRows(
  rig: Rig,
  name: "records" | "keys",
  change: (row: KeptEntry, index: number) => KeptEntry | readonly KeptEntry[] | null,
): void {
  const { outbox } = tables(rig, name);
  const rows = outbox.first(Infinity);
  for (const { position } of rows) outbox.delete(position);
  for (const [index, row] of rows.entries()) for (const one of [change(row, index) ?? []].flat()) outbox.add(one);
}
