/**
 * Collections of the vault's own: callers read them, and what is written to them goes through calls of its own.
 */
import { RESERVED } from "../collections/declaration.ts";
import { VaultError } from "../errors.ts";
import { parseAddress } from "./address.ts";
import type { Address, AddressInput, Collection } from "./address.ts";

/** @throws VaultError `collection-reserved` */
export function requireWritable(collection: Collection): Collection {
  if (!RESERVED.has(collection)) return collection;
  throw new VaultError("collection-reserved", "The collection is the vault's own, which callers do not write to");
}

/** @throws VaultError `collection-reserved`, `collection-invalid`, `id-invalid` */
export function parseWritable(given: AddressInput): Address {
  const address = parseAddress(given);
  requireWritable(address.collection);
  return address;
}
