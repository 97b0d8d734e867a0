/**
 * Identifiers of cache entries (framework/caching-cmm.md, "Appendix A: Cache Entry Identifier Formulas"), with two more
 * fields: the commitment policy, so that a strict reader never gets what a lax one put in, and the required context
 * keys, which change what a message's header authenticates.
 */
import { sha384 } from "../crypto/hash.ts";
import { encryptedDataKeysLength, writeEncryptedDataKeys } from "../format/encrypted-data-key.ts";
import type { EncryptedDataKey } from "../format/encrypted-data-key.ts";
import { FORMAT_LIMITS } from "../format/limits.ts";
import type { AlgorithmSuite } from "../format/suites.ts";
import type { DecryptionMaterialsRequest, EncryptionMaterialsRequest } from "./materials-manager.ts";

const NULL = Buffer.of(0);
const CACHING_MANAGER = Buffer.of(0x01);
const SCOPES = { encrypt: Buffer.of(0x01), decrypt: Buffer.of(0x02) } as const;
const WITH_SUITE = Buffer.of(0x01);

export function encryptEntryId(partition: Buffer, request: EncryptionMaterialsRequest): string {
  const { suite, encryptionContext } = request;
  return entryId("encrypt", partition, request, [WITH_SUITE, suiteId(suite), encryptionContext.bytes]);
}

export function decryptEntryId(partition: Buffer, request: DecryptionMaterialsRequest): string {
  const { suite, encryptedDataKeys, encryptionContext } = request;
  return entryId("decrypt", partition, request, [suiteId(suite), sortedKeys(encryptedDataKeys), encryptionContext.bytes]);
}

function entryId(
  scope: keyof typeof SCOPES,
  partition: Buffer,
  { commitmentPolicy, requiredContextKeys }: Pick<EncryptionMaterialsRequest, "commitmentPolicy" | "requiredContextKeys">,
  suffix: readonly Buffer[],
): string {
  const ours = Buffer.from(JSON.stringify([commitmentPolicy, ...requiredContextKeys]));
  const fields = [CACHING_MANAGER, SCOPES[scope], partition, ours, ...suffix];
  return sha384(fields.flatMap((field) => [field, NULL]));
}

function suiteId(suite: AlgorithmSuite): Buffer {
  const bytes = Buffer.allocUnsafe(2);
  bytes.writeUInt16BE(suite.id);
  return bytes;
}

/** Serialized as in a header, without the count, in lexicographic order: their order in the message does not matter. */
function sortedKeys(keys: readonly EncryptedDataKey[]): Buffer {
  const serialized = keys.map((key) => {
    const bytes = Buffer.allocUnsafe(encryptedDataKeysLength([key], FORMAT_LIMITS));
    writeEncryptedDataKeys(bytes, 0, [key]);
    return bytes.subarray(2);
  });
  return Buffer.concat(serialized.sort((a, b) => Buffer.compare(a, b)));
}
