/**
 * Versions of records as the inventory finds and changes them.
 */
import type { Rewrap } from "../inventory.ts";
import type { VersionPlace } from "../rows.ts";
import { countWraps, internWrapSet } from "./common-tables.ts";
import type { WrappedRows } from "./inventory.ts";
import { recordKey } from "./tables.ts";
import type { MemoryTables, VersionRow } from "./tables.ts";

export function wrappedVersions(tables: MemoryTables): WrappedRows<VersionPlace, Rewrap, VersionRow> {
  const { records } = tables;
  return {
    *all() {
      for (const { address, versions } of records.values())
        for (const row of versions)
          yield { row, place: { ...address, version: row.version }, ...address, version: inOrder(row.version) };
    },
    replace: (place, replace) => {
      const record = records.get(recordKey(place));
      const index = record?.versions.findIndex(({ version }) => version === place.version) ?? -1;
      const before = record?.versions[index];
      const row = before === undefined ? null : replace(before);
      if (record === undefined || row === null) return false;
      records.set(recordKey(place), { ...record, versions: record.versions.with(index, row) });
      return true;
    },
    rewrapped: (row, { message, wrapSet, keeps }) => ({
      ...row,
      ...(message !== null && {
        message: message as Buffer,
        revision: row.revision + 1,
        // The oldest is the one of the keys that are left: what comes after it is not kept.
        kept: keeps === true ? (row.kept ?? { message: row.message, wrapSet: row.wrapSet }) : row.kept,
      }),
      wraps: countWraps(wrapSet),
      wrapSet: internWrapSet(tables, wrapSet),
    }),
  };
}

/** A number as a text of 16 digits, which sorts as the number does. */
const inOrder = (version: number): string => String(version).padStart(16, "0");
