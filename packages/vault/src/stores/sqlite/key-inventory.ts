/**
 * The inventory of keys: an item's `collection` is the key's kind, and its `id` the owner.
 */
import { sql } from "kysely";
import type { KeyPlace, KeyVersion } from "../key-store.ts";
import { whole } from "./columns.ts";
import { idDigits, idOf } from "./ids.ts";
import { kindOf, OWNER_NAME, ownerOf } from "./key-columns.ts";
import { inventoryReads } from "./read-inventory.ts";
import type { InventoryReads } from "./read-inventory.ts";

interface Names {
  readonly kind: number | null;
  readonly name: string | null;
  readonly version: string | null;
}

export const KEY_INVENTORY: InventoryReads<KeyPlace> = inventoryReads<Names, KeyPlace>("keys", {
  join: sql`left join owners on owners.owner = own.owner`,
  columns: sql`${whole("own.kind", 0)} as kind, ${OWNER_NAME} as name, ${idDigits("own.version")} as version`,
  nameOf: (row) => {
    const [kind, owner, version] = [kindOf(row.kind), ownerOf(row.name), idOf(row.version)];
    const place =
      kind === null || owner === null || version === null
        ? null
        : { kind, owner, version: version as string as KeyVersion };
    return { place, collection: kind ?? String(row.kind), id: owner ?? "" };
  },
});
