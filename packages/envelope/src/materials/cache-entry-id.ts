/**
 * Identifiers of cache entries: the fields of framework/caching-cmm.md, "Appendix A: Cache Entry Identifier Formulas",
 * with two more: the commitment policy, so that a strict reader never gets what a lax one put in, and the required
 * context keys, which change what a message's header authenticates. The formulas hash the fields; here they stand as
 * they are, since nothing in them is secret and hashing would cost more than all the rest.
 */
import { sha384 } from "../crypto/hash.ts";
import { asBuffer } from "../format/byte-reader.ts";
import type { EncryptedDataKey } from "../format/encrypted-data-key.ts";
import type { DecryptionMaterialsRequest, EncryptionMaterialsRequest } from "./materials-manager.ts";

/** Longer ones are hashed: a message must not decide how much memory its entry takes. */
const LONGEST_PLAIN_ID = 4_096;

type AnyRequest = Pick<EncryptionMaterialsRequest, "suite" | "commitmentPolicy" | "encryptionContext" | "requiredContextKeys">;

export function encryptEntryId(partition: string, request: EncryptionMaterialsRequest): string {
  return entryId("encrypt", partition, request, "");
}

export function decryptEntryId(partition: string, request: DecryptionMaterialsRequest): string {
  return entryId("decrypt", partition, request, keysText(request.encryptedDataKeys));
}

/** Unambiguous: fields of free content come with their length, stand last, or are the same in all of a cache's entries. */
function entryId(scope: "encrypt" | "decrypt", partition: string, request: AnyRequest, keys: string): string {
  const { suite, commitmentPolicy, requiredContextKeys, encryptionContext } = request;
  const required = requiredContextKeys.length === 0 ? "" : JSON.stringify(requiredContextKeys);
  const context = encryptionContext.bytes.toString("latin1");
  const id = `${scope}\0${partition}\0${commitmentPolicy}\0${required}\0${suite.id}\0${keys.length}\0${keys}${context}`;
  return id.length > LONGEST_PLAIN_ID ? sha384(Buffer.from(id, "utf8")) : id;
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
