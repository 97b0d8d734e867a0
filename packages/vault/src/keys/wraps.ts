/**
 * The wraps of a message's data key, as the inventory keeps them.
 */
import { inspect } from "@strongroom/envelope";
import type { EncryptResult } from "@strongroom/envelope";
import { namedKey } from "@strongroom/envelope/keyrings";
import type { EncryptedDataKey } from "@strongroom/envelope/keyrings";
import type { Wrap, WrapSet } from "../stores/wrap-set.ts";

/**
 * The wraps that a message says its data key has. Nothing of it is authentic; for a store that takes over the messages
 * of an earlier version.
 *
 * @throws EnvelopeError what `inspect` throws
 * @example
 * ```ts
 * import { randomBytes } from "node:crypto";
 * import { encrypt, rawAesKeyring } from "@strongroom/envelope";
 * import { wrapsOf } from "@strongroom/vault";
 *
 * const keyring = rawAesKeyring({ keyNamespace: "example", keyName: "local", wrappingKey: randomBytes(32) });
 * const { message } = await encrypt(Buffer.from("{}"), { keyring, encryptionContext: { id: "42" } });
 * console.log(wrapsOf(message).map(({ provider }) => provider)); // prints: [ 'example' ]
 * ```
 */
export function wrapsOf(message: Uint8Array): readonly Wrap[] {
  return inspect(message).encryptedDataKeys.map(({ providerId, keyInfo }) => wrapOf(providerId, keyInfo));
}

/** What the specification's hierarchical keyring calls itself in a message. */
export const HIERARCHY_PROVIDER = "aws-kms-hierarchy";

/**
 * Whether what is wrapped hangs on a key of the key store. Of messages of scheme 2 only: before it no vault wrote that.
 */
export const isOfKeyStore = ({ providerId }: { readonly providerId: string }): boolean =>
  providerId === HIERARCHY_PROVIDER;

/**
 * The wrap set, in the inventory of records, of every message that hangs on a key of the key store: one for all of
 * them, and never one for each person. What such a key owes is in the inventory of the key store.
 */
export const KEY_STORE_WRAP_SET: WrapSet = {
  wraps: [{ provider: HIERARCHY_PROVIDER, key: "", material: null }],
  target: 1,
  missing: [],
};

/** The wrap set of a message that was just sealed. A keyring that reports nothing wrapped what it was meant to. */
export function sealedWrapSet({
  encryptedDataKeys,
  wraps: report,
}: Pick<EncryptResult, "encryptedDataKeys" | "wraps">): WrapSet {
  const wraps = encryptedDataKeys.map(wrapNamed);
  if (report === undefined) return { wraps, target: wraps.length, missing: [] };
  // A keyring beside the one that reports, in a multi-keyring, has its wraps too.
  const unreported = Math.max(0, wraps.length - report.stored.length);
  return {
    wraps,
    target: report.target + unreported,
    missing: report.missing.map(({ region, keyArn, reason }) => ({ region, keyArn, reason })),
  };
}

/** A stored wrap, by what it names. */
export function wrapNamed(stored: EncryptedDataKey): Wrap {
  const { providerId, key } = namedKey(stored);
  return wrapOf(providerId, key);
}

/** What a message names is the key, and no `Encrypt` of AWS KMS tells which material of it. */
const wrapOf = (provider: string, key: string): Wrap => ({
  provider,
  key: EPHEMERAL[provider]?.(key) ?? key,
  material: null,
});

/**
 * Providers whose wraps name a key pair that was made for this one message, beside the recipient's: each message would
 * have a wrap set of its own. Only the recipient's is kept of it, which stands behind a byte of version and its length.
 */
const EPHEMERAL: Readonly<Record<string, (keyInfo: string) => string>> = {
  "raw-ecdh": recipientKey,
  "aws-kms-ecdh": recipientKey,
};

function recipientKey(keyInfo: string): string {
  const length = /^01([0-9a-f]{8})/.exec(keyInfo)?.[1];
  return length === undefined ? keyInfo : keyInfo.slice(10, 10 + 2 * Number.parseInt(length, 16));
}
