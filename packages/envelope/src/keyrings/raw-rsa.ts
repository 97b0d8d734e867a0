/**
 * @strongroom/envelope/raw-rsa: the raw RSA keyring (framework/raw-rsa-keyring.md). Data keys are wrapped with RSA-OAEP
 * under a key held in memory: who has the public key can write, who has the private one can read.
 */
import { readRsaPrivateKey, readRsaPublicKey, rsaOpen, rsaSeal } from "../crypto/rsa.ts";
import type { KeyObject, OaepHash, RsaKeyInput } from "../crypto/rsa.ts";
import { EnvelopeError, requireNotAborted } from "../errors.ts";
import { asBuffer } from "../format/byte-reader.ts";
import type { EncryptedDataKey } from "../format/header.ts";
import { unwrapDataKey, wrapDataKey } from "./data-keys.ts";
import { keyNameProblems } from "./keyring.ts";
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
   * PEM (SubjectPublicKeyInfo) or a key object, 2,048 bits or more. Needed to encrypt: it is never derived from the
   * private key.
   */
  readonly publicKey?: RsaKeyInput;
  /** PEM (PKCS #8) or a key object, 2,048 bits or more. Needed to decrypt. */
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
      });
    },
  };
}

interface Resolved {
  readonly keyNamespace: string;
  readonly keyName: string;
  readonly hash: OaepHash;
  readonly publicKey: KeyObject | null;
  readonly privateKey: KeyObject | null;
}

function resolveOptions(options: RawRsaKeyringOptions): Resolved {
  const { keyNamespace, keyName } = options;
  const padding: string = options.padding ?? RAW_RSA_DEFAULTS.padding;
  const hash = HASHES.get(padding);
  const publicKey = options.publicKey === undefined ? null : readRsaPublicKey(options.publicKey);
  const privateKey = options.privateKey === undefined ? null : readRsaPrivateKey(options.privateKey);

  const problems = [...keyNameProblems({ keyNamespace, keyName })];
  if (hash === undefined)
    problems.push(/PKCS/i.test(padding) ? PKCS1_REFUSED : `padding must be one of ${[...HASHES.keys()].join(", ")}`);
  if (options.publicKey === undefined && options.privateKey === undefined)
    problems.push("publicKey, privateKey or both are needed");
  if (options.publicKey !== undefined && publicKey === null) {
    problems.push(
      "publicKey must be an RSA public key of 2,048 bits or more, as PEM text (BEGIN PUBLIC KEY) or as a key object",
    );
  }
  if (options.privateKey !== undefined && privateKey === null) {
    problems.push(
      "privateKey must be an RSA private key of 2,048 bits or more, as PEM text (BEGIN PRIVATE KEY) or as a key object",
    );
  }
  if (problems.length > 0 || hash === undefined) throw new EnvelopeError("option-invalid", problems.join("; "));
  return { keyNamespace, keyName, hash, publicKey, privateKey };
}
