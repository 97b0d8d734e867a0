// The state as it is read from the disk, once its rows are known to be those of the last commit.

import { checkRows, requireSound } from "../integrity/row-check.ts";
import type { RowDigest, RowSet } from "../integrity/row-set.ts";
import type { Custody } from "./custody.ts";
import { emptyRegion } from "./region-data.ts";
import type { RegionData } from "./region-data.ts";
import { loadRegions } from "./rows.ts";

/** What the store has of a data directory. */
export type Disk = Pick<Custody, "database" | "log" | "rowKeys">;

/** What is read from the disk, and believed. */
export interface Read {
  readonly regions: Map<string, RegionData>;
  readonly rows: RowSet;
  readonly meta: RowDigest["meta"];
  readonly writtenUses: Map<string, number>;
}

/**
 * Reads all rows into memory; each of `regionNames` is there, with or without rows.
 * @throws KmsError `store-corrupt` for rows that are not those of the last commit, `audit-broken`.
 */
export async function readDisk({ database, log, rowKeys }: Disk, regionNames: readonly string[]): Promise<Read> {
  const checked = await checkRows(database.db, rowKeys);
  requireSound(checked, log.head);
  const regions = new Map(regionNames.map((name) => [name, emptyRegion(name)]));
  loadRegions(checked.rows, regions);
  const uses = [...regions.values()].flatMap(({ name, lastUses }) =>
    [...lastUses].map(([keyId, { at }]) => [`${name}/${keyId}`, at] as const),
  );
  return { regions, rows: checked.set, meta: checked.meta, writtenUses: new Map(uses) };
}
