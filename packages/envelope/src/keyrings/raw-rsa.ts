/**
 * @strongroom/envelope/raw-rsa: the raw RSA keyring (framework/raw-rsa-keyring.md). Data keys are wrapped with RSA-OAEP
 * under a key held in memory: who has the public key can write, who has the private one can read.
 */
import { rsaKey, rsaOpen, rsaSeal } from "../crypto/rsa.ts";
import type { KeyObject, OaepHash, RsaKeyInput } from "../crypto/rsa.ts";
import { EnvelopeError, requireNotAborted } from "../errors.ts";
import { asBuffer } from "../format/byte-reader.ts";
import type { EncryptedDataKey } from "../format/header.ts";
import { unwrapDataKey, wrapDataKey } from "./data-keys.ts";
import { objectOf, option, readOptions } from "../options.ts";
import type { Reader, RowsFor } from "../options.ts";
import { KEY_NAME_ROWS } from "./keyring.ts";
import type { Keyring } from "./keyring.ts";

export type { RsaKeyInput } from "../crypto/rsa.ts";

/** OAEP with this hash, and MGF1 with the same one ("Supported Padding Schemes"). */
export type RsaPadding = "OAEP_SHA1_MGF1" | "OAEP_SHA256_MGF1" | "OAEP_SHA384_MGF1" | "OAEP_SHA512_MGF1";

export interface RawRsaKeyringOptions {
  /** The provider id of its encrypted data keys; not `aws-kms` or anything that begins so. */
  readonly keyNamespace: string;
  readonly keyName: string;
  readonly padding?: RsaPadding;
  /**
   * PEM or DER (SubjectPublicKeyInfo or PKCS #1) or a key object, 2,048 bits or more. Needed to encrypt: it is never
   * derived from the private key.
   */
  readonly publicKey?: RsaKeyInput;
  /** PEM or DER (PKCS #8 or PKCS #1), not encrypted, or a key object, 2,048 bits or more. Needed to decrypt. */
  readonly privateKey?: RsaKeyInput;
}

export const RAW_RSA_DEFAULTS: { readonly padding: RsaPadding } = { padding: "OAEP_SHA256_MGF1" };

const HASHES: ReadonlyMap<unknown, OaepHash> = new Map<RsaPadding, OaepHash>([
  ["OAEP_SHA1_MGF1", "sha1"],
  ["OAEP_SHA256_MGF1", "sha256"],
  ["OAEP_SHA384_MGF1", "sha384"],
  ["OAEP_SHA512_MGF1", "sha512"],
]);

const PKCS1_REFUSED =
  "padding PKCS #1 v1.5 is refused: whoever can watch which ciphertexts are rejected can decrypt without the key " +
  "(Bleichenbacher's attack); use OAEP";

/**
 * Wraps data keys with RSA-OAEP.
 *
 * @throws EnvelopeError `option-invalid`, with every problem listed
 *
 * @example
 * ```ts
 * import { generateKeyPairSync } from "node:crypto";
 * import { decrypt, encrypt } from "@strongroom/envelope";
 * import { rawRsaKeyring } from "@strongroom/envelope/raw-rsa";
 *
 * const { publicKey, privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
 * const writer = rawRsaKeyring({ keyNamespace: "my-app", keyName: "inbox", publicKey });
 * const reader = rawRsaKeyring({ keyNamespace: "my-app", keyName: "inbox", privateKey });
 *
 * const encryptionContext = { to: "inbox" };
 * const { message } = await encrypt(Buffer.from("for the reader"), { keyring: writer, encryptionContext });
 * const { plaintext } = await decrypt(message, { keyring: reader, encryptionContext });
 * console.log(Buffer.from(plaintext).toString()); // prints: for the reader
 * ```
 */
export function rawRsaKeyring(options: RawRsaKeyringOptions): Keyring {
  const { keyNamespace, keyName, hash, publicKey, privateKey } = resolveOptions(options);
  const providerInfo = Buffer.from(keyName, "utf8");

  const isOurs = (key: EncryptedDataKey): boolean =>
    key.providerId === keyNamespace && asBuffer(key.providerInfo).equals(providerInfo);

  return {
    async onEncrypt(materials, { signal }) {
      if (publicKey === null)
        throw new EnvelopeError("keyring-unsuitable", "The raw RSA keyring needs publicKey to encrypt");
      requireNotAborted(signal);
      return wrapDataKey(materials, (dataKey) => ({
        providerId: keyNamespace,
        providerInfo,
        ciphertext: rsaSeal(publicKey, hash, dataKey.bytes),
      }));
    },
    async onDecrypt(materials, encryptedDataKeys, call) {
      if (privateKey === null)
        throw new EnvelopeError("keyring-unsuitable", "The raw RSA keyring needs privateKey to decrypt");
      return unwrapDataKey(materials, encryptedDataKeys, call, {
        isOurs,
        unwrap: ({ ciphertext }) => rsaOpen(privateKey, hash, ciphertext) ?? "does-not-open",
        notAccepted: "does-not-open",
        isUnderPublicKey: true,
      });
    },
  };
}

const paddingOption: Reader<OaepHash> = (value, name, problems) => {
  const hash = HASHES.get(value);
  if (hash !== undefined) return hash;
  problems.push(
    /PKCS/i.test(String(value)) ? PKCS1_REFUSED : `${name} must be one of ${[...HASHES.keys()].join(", ")}`,
  );
  return undefined as never;
};

const readRawRsa = objectOf({
  ...KEY_NAME_ROWS,
  padding: option(paddingOption, "sha256"),
  publicKey: option(rsaKey("public")),
  privateKey: option(rsaKey("private")),
} satisfies RowsFor<RawRsaKeyringOptions>);

interface Resolved {
  readonly keyNamespace: string;
  readonly keyName: string;
  readonly hash: OaepHash;
  readonly publicKey: KeyObject | null;
  readonly privateKey: KeyObject | null;
}

function resolveOptions(options: RawRsaKeyringOptions): Resolved {
  const { padding: hash, publicKey = null, privateKey = null, ...names } = readOptions(readRawRsa, options);
  if (publicKey === null && privateKey === null)
    throw new EnvelopeError("option-invalid", "publicKey, privateKey or both are needed");
  return { ...names, hash, publicKey, privateKey };
}
