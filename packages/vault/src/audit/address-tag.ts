/**
 * An address as the log has it: a keyed hash, so that the log tells which entries are of one record, and not of which.
 */
import { lp } from "../keys/length-prefixed.ts";
import type { Address } from "../records/address.ts";
import type { AddressTag } from "../stores/outbox.ts";
import type { KeyedHash } from "./key-derivation.ts";

const LABEL = "strongroom/address/1";
/** Bytes of the hash that a tag has. */
const TAG_LENGTH = 16;

/** @param row as its row lies in the store: in a collection with sealed ids, under the hash of the id */
export function addressTag(key: KeyedHash, vault: string, { collection, id }: Address): AddressTag {
  const hash = key.of(lp([LABEL, vault, collection, id]));
  return hash.toString("base64url", 0, TAG_LENGTH) as AddressTag;
}
