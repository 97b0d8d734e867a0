/**
 * Values as a keyed hash, so that equal ones can be joined by who may not see them: of one field of one collection of
 * one vault, under a key that is used for nothing else. Equal values of another field have other hashes.
 */
import { keyedHash } from "@strongroom/envelope/keyrings";
import type { SecretBytes } from "@strongroom/envelope/keyrings";
import { lp } from "../keys/length-prefixed.ts";
import type { Collection } from "../records/address.ts";
import type { HashMask } from "./project.ts";

const LABEL = "strongroom/mask-hash/1";
const PREFIX = "hash:";
/** Bytes: of a billion values no two are alike by chance. */
const LENGTH = 16;

/** What such a mask looks like. */
export const HASH_FORM: RegExp = /^hash:[A-Za-z0-9_-]{22}$/;

/** The mask of a collection's fields. @param key it stays the caller's */
export function hashMask(key: SecretBytes, vault: string, collection: Collection): NonNullable<HashMask> {
  return (path, value) => {
    // With its type: the text "1" and the number 1 are two values.
    const hash = keyedHash(key, lp([LABEL, vault, collection, path, JSON.stringify(value)]));
    return `${PREFIX}${hash.subarray(0, LENGTH).toString("base64url")}`;
  };
}
