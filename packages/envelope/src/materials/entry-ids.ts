/**
 * Under which names a materials cache keeps its entries.
 */
import { sha384 } from "../crypto/key-derivation.ts";
import { asBuffer } from "../format/byte-reader.ts";
import type { EncryptedDataKey } from "../format/header.ts";
import type { DecryptionMaterialsRequest, EncryptionMaterialsRequest } from "./materials-manager.ts";

/** Longer ones are hashed: a message must not decide how much memory its entry takes. */
const LONGEST_PLAIN_ID = 4_096;

/*
 * Identifiers: the fields of framework/caching-cmm.md, "Appendix A: Cache Entry Identifier Formulas", with two more:
 * the commitment policy, so that a strict reader never gets what a lax one put in, and the required context keys, which
 * change what a message's header authenticates. The formulas hash the fields; here they stand as they are, since
 * nothing in them is secret and hashing would cost more than all the rest.
 */

type Scope = "encrypt" | "decrypt";

/** All that an identifier is made of. */
interface Fields extends Pick<
  EncryptionMaterialsRequest,
  "suite" | "commitmentPolicy" | "encryptionContext" | "requiredContextKeys"
> {
  readonly partition: string;
  readonly encryptedDataKeys: readonly EncryptedDataKey[];
}

const NO_KEYS: readonly EncryptedDataKey[] = [];

export function encryptEntryId(
  partition: string,
  { suite, commitmentPolicy, encryptionContext, requiredContextKeys }: EncryptionMaterialsRequest,
): string {
  return entryId("encrypt", {
    partition,
    suite,
    commitmentPolicy,
    encryptionContext,
    requiredContextKeys,
    encryptedDataKeys: NO_KEYS,
  });
}

export function decryptEntryId(
  partition: string,
  { suite, commitmentPolicy, encryptionContext, requiredContextKeys, encryptedDataKeys }: DecryptionMaterialsRequest,
): string {
  return entryId("decrypt", {
    partition,
    suite,
    commitmentPolicy,
    encryptionContext,
    requiredContextKeys,
    encryptedDataKeys,
  });
}

/** The last identifier made and the very objects it was made of: the same again costs a few comparisons. */
const last: Record<Scope, { readonly fields: Fields; readonly id: string } | null> = { encrypt: null, decrypt: null };

function entryId(scope: Scope, fields: Fields): string {
  const known = last[scope];
  if (known !== null && isSame(known.fields, fields)) return known.id;
  const id = makeId(scope, fields);
  if (id.length > LONGEST_PLAIN_ID) return sha384(Buffer.from(id, "utf8"));
  last[scope] = { fields, id };
  return id;
}

/**
 * Contexts and arrays of keys never change; the caller's array of required keys may, so only an empty one is taken for
 * the same.
 */
function isSame(known: Fields, fields: Fields): boolean {
  return (
    known.encryptionContext === fields.encryptionContext &&
    known.encryptedDataKeys === fields.encryptedDataKeys &&
    known.partition === fields.partition &&
    known.suite === fields.suite &&
    known.commitmentPolicy === fields.commitmentPolicy &&
    known.requiredContextKeys.length === 0 &&
    fields.requiredContextKeys.length === 0
  );
}

/**
 * Unambiguous: fields of free content come with their length, stand last, or are the same in all of a cache's entries.
 */
function makeId(
  scope: Scope,
  { partition, suite, commitmentPolicy, encryptionContext, requiredContextKeys, encryptedDataKeys }: Fields,
): string {
  const required = requiredContextKeys.length === 0 ? "" : JSON.stringify(requiredContextKeys);
  const keys = keysText(encryptedDataKeys);
  return `${scope}\0${partition}\0${commitmentPolicy}\0${required}\0${suite.id}\0${keys.length}\0${keys}${encryptionContext.bytes.toString("latin1")}`;
}

/** In the order of their texts: their order in the message does not matter. */
function keysText(keys: readonly EncryptedDataKey[]): string {
  const texts = keys.map(keyText);
  return texts.length === 1 ? (texts[0] ?? "") : texts.sort().join("");
}

function keyText({ providerId, providerInfo, ciphertext }: EncryptedDataKey): string {
  const lengths = `${providerId.length},${providerInfo.length},${ciphertext.length}`;
  return `${lengths}:${providerId}${asBuffer(providerInfo).toString("latin1")}${asBuffer(ciphertext).toString("latin1")}`;
}
