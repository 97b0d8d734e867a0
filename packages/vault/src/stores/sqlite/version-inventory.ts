/**
 * The inventory of versions.
 */
import { sql } from "kysely";
import type { RawBuilder } from "kysely";
import { parseAddress, parseVersion } from "../../records/address.ts";
import type { InventoryItem } from "../inventory.ts";
import type { VersionPlace } from "../rows.ts";
import { foundName, nameBytes } from "./columns.ts";
import { inventoryReads } from "./read-inventory.ts";
import type { InventoryReads } from "./read-inventory.ts";

/** What is selected of a version, `own`, and of its record for its place. */
export interface VersionNames {
  readonly collection: Uint8Array | null;
  readonly id: Uint8Array | null;
  readonly has_name: number;
  readonly version: string;
}

export const VERSION_NAMES: RawBuilder<unknown> = sql`${nameBytes("records.collection")} as collection,
    ${nameBytes("records.id")} as id, records.record is not null as has_name, cast(own.version as text) as version`;

export const VERSION_INVENTORY: InventoryReads<VersionPlace> = inventoryReads<VersionNames, VersionPlace>("versions", {
  join: sql`left join records on records.record = own.record`,
  columns: VERSION_NAMES,
  nameOf: placeOfNames,
});

/** Where a version is; null when its row holds what no vault writes. */
export function placeOfNames(row: VersionNames): Pick<InventoryItem, "place" | "collection" | "id"> {
  const [collection, id] = [foundName(row.collection), foundName(row.id)];
  const isNamed = row.has_name === 1 && collection.isWhole && id.isWhole;
  return {
    place: isNamed ? placeOf(collection.text, id.text, Number(row.version)) : null,
    collection: collection.text,
    id: id.text,
  };
}

/** Null when it is no place of a version. */
function placeOf(collection: string, id: string, version: number): VersionPlace | null {
  try {
    return { ...parseAddress({ collection, id }), version: parseVersion(version) };
  } catch {
    return null;
  }
}
