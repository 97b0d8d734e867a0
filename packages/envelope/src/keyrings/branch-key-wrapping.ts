/**
 * How the hierarchical keyring wraps a data key under a branch key: a key derived for this one wrap, then AES-256-GCM
 * (framework/aws-kms/aws-kms-hierarchical-keyring.md, "Ciphertext", "Branch Key Wrapping", "Branch Key Wrapping and
 * Unwrapping AAD").
 */
import { counterKdf, counterKdfInput } from "../crypto/counter-kdf.ts";
import { GCM_TAG_LENGTH, gcmOpen, gcmSeal } from "../crypto/gcm.ts";
import { randomPublicBytes, SecretBytes, sharedBytes } from "../crypto/secret.ts";
import { asBuffer } from "../format/byte-reader.ts";
import { IV_LENGTH } from "../format/suites.ts";

export const HIERARCHY_PROVIDER = "aws-kms-hierarchy";
export const BRANCH_KEY_LENGTH = 32;

const LABEL = Buffer.from(HIERARCHY_PROVIDER, "utf8");
const SALT_LENGTH = 16;
const VERSION_LENGTH = 16;
const VERSION_START = SALT_LENGTH + IV_LENGTH;
const KEY_START = VERSION_START + VERSION_LENGTH;

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

export interface BranchKeyWrapping {
  readonly branchKeyId: string;
  readonly branchKey: SecretBytes;
  /** The serialized encryption context. */
  readonly context: Uint8Array;
}

/** Whether a branch key's version can be stored: a version 4 UUID (RFC 9562) in lower case. */
export function isBranchKeyVersion(version: unknown): version is string {
  return typeof version === "string" && UUID.test(version);
}

/** @param version must be a branch key's version */
export function branchKeyWrap(dataKey: SecretBytes, version: string, wrapping: BranchKeyWrapping): Buffer {
  const saltAndIv = randomPublicBytes(VERSION_START);
  const versionBytes = Buffer.from(version.replaceAll("-", ""), "hex");
  const derived = derive(wrapping.branchKey, saltAndIv.subarray(0, SALT_LENGTH));
  try {
    const { ciphertext, tag } = gcmSeal(
      "aes-256-gcm",
      derived,
      saltAndIv.subarray(SALT_LENGTH),
      aad(wrapping, versionBytes),
      dataKey.bytes,
    );
    return Buffer.concat([saltAndIv, versionBytes, ciphertext, tag]);
  } finally {
    derived.fill(0);
  }
}

/** The version of the branch key that wrapped this; null for a ciphertext of another length than this data key's. */
export function branchKeyVersionOf(ciphertext: Uint8Array, keyLength: number): string | null {
  if (ciphertext.length !== KEY_START + keyLength + GCM_TAG_LENGTH) return null;
  const digits = asBuffer(ciphertext).toString("hex", VERSION_START, KEY_START);
  return [digits.slice(0, 8), digits.slice(8, 12), digits.slice(12, 16), digits.slice(16, 20), digits.slice(20)].join(
    "-",
  );
}

/** null when it does not open. The ciphertext's length must have been checked by `branchKeyVersionOf`. */
export function branchKeyUnwrap(ciphertext: Uint8Array, wrapping: BranchKeyWrapping): SecretBytes | null {
  const bytes = asBuffer(ciphertext);
  const tagStart = bytes.length - GCM_TAG_LENGTH;
  const derived = derive(wrapping.branchKey, bytes.subarray(0, SALT_LENGTH));
  try {
    const iv = bytes.subarray(SALT_LENGTH, VERSION_START);
    const associated = aad(wrapping, bytes.subarray(VERSION_START, KEY_START));
    return new SecretBytes(
      gcmOpen("aes-256-gcm", derived, iv, associated, bytes.subarray(KEY_START, tagStart), bytes.subarray(tagStart)),
    );
  } catch {
    return null;
  } finally {
    derived.fill(0);
  }
}

/** One wrap's own key. */
function derive(branchKey: SecretBytes, salt: Uint8Array): Buffer {
  return counterKdf(
    "sha256",
    sharedBytes(branchKey),
    counterKdfInput(LABEL, salt, BRANCH_KEY_LENGTH),
    BRANCH_KEY_LENGTH,
  );
}

function aad({ branchKeyId, context }: BranchKeyWrapping, version: Uint8Array): Buffer {
  return Buffer.concat([LABEL, Buffer.from(branchKeyId, "utf8"), version, context]);
}
