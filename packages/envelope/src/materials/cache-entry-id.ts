/**
 * Identifiers of cache entries (framework/caching-cmm.md, "Appendix A: Cache Entry Identifier Formulas"), with two more
 * fields: the commitment policy, so that a strict reader never gets what a lax one put in, and the required context
 * keys, which change what a message's header authenticates.
 */
import { sha384 } from "../crypto/hash.ts";
import { encryptedDataKeysLength, writeEncryptedDataKeys } from "../format/encrypted-data-key.ts";
import type { EncryptedDataKey } from "../format/encrypted-data-key.ts";
import { FORMAT_LIMITS } from "../format/limits.ts";
import type { DecryptionMaterialsRequest, EncryptionMaterialsRequest } from "./materials-manager.ts";

const CACHING_MANAGER = 0x01;
const SCOPES = { encrypt: 0x01, decrypt: 0x02 } as const;
const WITH_SUITE = 0x01;
/** Longer ones are hashed, as the formulas have it for all: a message must not decide how much memory its entry takes. */
const LONGEST_PLAIN_ID = 4_096;

type AnyRequest = Pick<EncryptionMaterialsRequest, "suite" | "commitmentPolicy" | "encryptionContext" | "requiredContextKeys">;

export function encryptEntryId(partition: Buffer, request: EncryptionMaterialsRequest): string {
  return entryId(Buffer.of(CACHING_MANAGER, 0, SCOPES.encrypt, 0), partition, request, Buffer.of(0, WITH_SUITE));
}

export function decryptEntryId(partition: Buffer, request: DecryptionMaterialsRequest): string {
  return entryId(Buffer.of(CACHING_MANAGER, 0, SCOPES.decrypt, 0), partition, request, serializedKeys(request.encryptedDataKeys));
}

/** Fields with a null byte between them, as the formulas have it; ours before theirs. */
function entryId(head: Buffer, partition: Buffer, request: AnyRequest, specific: Buffer): string {
  const { suite, commitmentPolicy, requiredContextKeys, encryptionContext } = request;
  const required = requiredContextKeys.length === 0 ? "" : JSON.stringify(requiredContextKeys);
  const ours = `\0${commitmentPolicy}\0${required}\0`;
  const oursLength = Buffer.byteLength(ours, "utf8");
  const bytes = Buffer.allocUnsafe(head.length + partition.length + oursLength + 2 + 1 + specific.length + 1 + encryptionContext.bytes.length);
  let offset = head.copy(bytes, 0);
  offset += partition.copy(bytes, offset);
  offset += bytes.write(ours, offset, "utf8");
  offset = bytes.writeUInt16BE(suite.id, offset);
  offset = bytes.writeUInt8(0, offset);
  offset += specific.copy(bytes, offset);
  offset = bytes.writeUInt8(0, offset);
  encryptionContext.bytes.copy(bytes, offset);
  // No secret in it, and unambiguous as it is: hashing would cost more than all the rest. Hashes are base64, which the
  // head's first byte is not, so the two kinds never meet.
  return bytes.length > LONGEST_PLAIN_ID ? sha384(bytes) : bytes.toString("latin1");
}

/** Serialized as in a header, without the count, in lexicographic order: their order in the message does not matter. */
function serializedKeys(keys: readonly EncryptedDataKey[]): Buffer {
  const serialized = keys.map((key) => {
    const bytes = Buffer.allocUnsafe(encryptedDataKeysLength([key], FORMAT_LIMITS));
    writeEncryptedDataKeys(bytes, 0, [key]);
    return bytes.subarray(2);
  });
  const [only] = serialized;
  return serialized.length === 1 && only !== undefined ? only : Buffer.concat(serialized.sort((a, b) => Buffer.compare(a, b)));
}
