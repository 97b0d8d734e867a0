/**
 * The inventory of versions.
 */
import { sql } from "kysely";
import { parseAddress, parseVersion } from "../../records/address.ts";
import type { VersionPlace } from "../rows.ts";
import { foundName, nameBytes } from "./columns.ts";
import { inventoryReads } from "./read-inventory.ts";
import type { InventoryReads } from "./read-inventory.ts";

interface Names {
  readonly collection: Uint8Array | null;
  readonly id: Uint8Array | null;
  readonly has_name: number;
  readonly version: string;
}

export const VERSION_INVENTORY: InventoryReads<VersionPlace> = inventoryReads<Names, VersionPlace>("versions", {
  join: sql`left join records on records.record = own.record`,
  columns: sql`${nameBytes("records.collection")} as collection, ${nameBytes("records.id")} as id,
    records.record is not null as has_name, cast(own.version as text) as version`,
  nameOf: (row) => {
    const [collection, id] = [foundName(row.collection), foundName(row.id)];
    const isNamed = row.has_name === 1 && collection.isWhole && id.isWhole;
    return {
      place: isNamed ? placeOf(collection.text, id.text, Number(row.version)) : null,
      collection: collection.text,
      id: id.text,
    };
  },
});

/** Null when it is no place of a version. */
function placeOf(collection: string, id: string, version: number): VersionPlace | null {
  try {
    return { ...parseAddress({ collection, id }), version: parseVersion(version) };
  } catch {
    return null;
  }
}
