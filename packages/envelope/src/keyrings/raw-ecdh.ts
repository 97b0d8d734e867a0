/**
 * @strongroom/envelope/raw-ecdh: the raw ECDH keyring (framework/raw-ecdh-keyring.md). Data keys are wrapped under a
 * secret that sender and recipient agree on, each from the own private key and the other's public one.
 */
import {
  generateEcKeyPair,
  isEcdhCurve,
  readCompressedPoint,
  readEcPrivateKey,
  readEcPublicKey,
  sharedSecret,
} from "../crypto/ecdh.ts";
import type { EcdhCurve, EcPrivateKey, EcPrivateKeyInput, EcPublicKey, EcPublicKeyInput } from "../crypto/ecdh.ts";
import { equalInConstantTime } from "../crypto/secret.ts";
import type { SecretBytes } from "../crypto/secret.ts";
import { EnvelopeError, requireNotAborted } from "../errors.ts";
import { unwrapDataKey, wrapDataKey } from "./data-keys.ts";
import { ecdhParties, ecdhProviderInfo, ecdhUnwrap, ecdhWrap, RAW_ECDH_PROVIDER } from "./ecdh-wrapping.ts";
import type { EcdhParties } from "./ecdh-wrapping.ts";
import type { Keyring } from "./keyring.ts";

export type { EcdhCurve, EcPrivateKeyInput, EcPublicKeyInput } from "../crypto/ecdh.ts";

/** Who has which keys (framework/key-agreement-schemas.md, "Raw ECDH Key Agreement Schemas"). */
export type RawEcdhSchema =
  /** Both sides have lasting keys: writes to the recipient, and reads what either side wrote to the other. */
  | {
      readonly kind: "RawPrivateKeyToStaticPublicKey";
      readonly senderPrivateKey: EcPrivateKeyInput;
      readonly recipientPublicKey: EcPublicKeyInput;
    }
  /**
   * Writes to a recipient whose public key is all that is known, with a sender's key made for each message. Cannot
   * read.
   */
  | { readonly kind: "EphemeralPrivateKeyToStaticPublicKey"; readonly recipientPublicKey: EcPublicKeyInput }
  /** Reads whatever anyone wrote to this key. Cannot write, and does not know who wrote. */
  | { readonly kind: "PublicKeyDiscovery"; readonly recipientPrivateKey: EcPrivateKeyInput };

export interface RawEcdhKeyringOptions {
  /** All keys must be of this curve; SM2 is not supported. */
  readonly curve: EcdhCurve;
  /** Private keys: PKCS #8 in PEM. Public keys: SubjectPublicKeyInfo in DER. Either may be a key object instead. */
  readonly schema: RawEcdhSchema;
}

/**
 * Wraps data keys under a secret that sender and recipient agree on.
 *
 * @throws EnvelopeError `option-invalid`, with every problem listed
 *
 * @example
 * ```ts
 * import { generateKeyPairSync } from "node:crypto";
 * import { decrypt, encrypt } from "@strongroom/envelope";
 * import { rawEcdhKeyring } from "@strongroom/envelope/raw-ecdh";
 *
 * const recipient = generateKeyPairSync("ec", { namedCurve: "P-256" });
 * const writer = rawEcdhKeyring({
 *   curve: "ECC_NIST_P256",
 *   schema: { kind: "EphemeralPrivateKeyToStaticPublicKey", recipientPublicKey: recipient.publicKey },
 * });
 * const reader = rawEcdhKeyring({
 *   curve: "ECC_NIST_P256",
 *   schema: { kind: "PublicKeyDiscovery", recipientPrivateKey: recipient.privateKey },
 * });
 *
 * const { message } = await encrypt(Buffer.from("for the reader"), { keyring: writer, encryptionContext: {} });
 * const { plaintext } = await decrypt(message, { keyring: reader, encryptionContext: {} });
 * console.log(Buffer.from(plaintext).toString()); // prints: for the reader
 * ```
 */
export function rawEcdhKeyring(options: RawEcdhKeyringOptions): Keyring {
  const { curve, schema } = resolveOptions(options);

  return {
    async onEncrypt(materials, { signal }) {
      if (schema.kind === "PublicKeyDiscovery") {
        throw new EnvelopeError(
          "keyring-unsuitable",
          "The schema PublicKeyDiscovery cannot encrypt: it knows no recipient",
        );
      }
      requireNotAborted(signal);
      const sender = schema.kind === "RawPrivateKeyToStaticPublicKey" ? schema.sender : generateEcKeyPair(curve);
      const parties = { sender: sender.publicKey.compressed, recipient: schema.recipient.compressed };
      using secret = sharedSecret(sender, schema.recipient);
      return await wrapDataKey(materials, (dataKey) => ({
        providerId: RAW_ECDH_PROVIDER,
        providerInfo: ecdhProviderInfo(parties),
        ciphertext: ecdhWrap(dataKey, { curve, parties, secret, context: materials.encryptionContext.bytes }),
      }));
    },

    async onDecrypt(materials, encryptedDataKeys, call) {
      if (schema.kind === "EphemeralPrivateKeyToStaticPublicKey") {
        throw new EnvelopeError(
          "keyring-unsuitable",
          "The schema EphemeralPrivateKeyToStaticPublicKey cannot decrypt: it has no private key",
        );
      }
      return unwrapDataKey(materials, encryptedDataKeys, call, {
        isOurs: (key) => {
          const parties = ecdhParties(curve, key);
          return parties !== null && areOurs(schema, parties);
        },
        unwrap: (key) => {
          const parties = ecdhParties(curve, key);
          using secret = parties === null ? null : agreedSecret(curve, schema, parties);
          if (parties === null || secret === null) return "does-not-open";
          const context = materials.encryptionContext.bytes;
          return (
            ecdhUnwrap(key.ciphertext, materials.suite.keyLength, { curve, parties, secret, context }) ??
            "does-not-open"
          );
        },
        notAccepted: "does-not-open",
      });
    },
  };
}

type Resolved =
  | { readonly kind: "RawPrivateKeyToStaticPublicKey"; readonly sender: EcPrivateKey; readonly recipient: EcPublicKey }
  | { readonly kind: "EphemeralPrivateKeyToStaticPublicKey"; readonly recipient: EcPublicKey }
  | { readonly kind: "PublicKeyDiscovery"; readonly own: EcPrivateKey };

type Reading = Exclude<Resolved, { readonly kind: "EphemeralPrivateKeyToStaticPublicKey" }>;

/** With two lasting keys both directions are ours: what we wrote to the other side, and what it wrote to us. */
function areOurs(schema: Reading, { sender, recipient }: EcdhParties): boolean {
  if (schema.kind === "PublicKeyDiscovery") return equalInConstantTime(schema.own.publicKey.compressed, recipient);
  const [us, them] = [schema.sender.publicKey.compressed, schema.recipient.compressed];
  const outgoing = equalInConstantTime(us, sender) && equalInConstantTime(them, recipient);
  const incoming = equalInConstantTime(them, sender) && equalInConstantTime(us, recipient);
  return outgoing || incoming;
}

/** null when the message names a sender that is no point on the curve. */
function agreedSecret(curve: EcdhCurve, schema: Reading, parties: EcdhParties): SecretBytes | null {
  if (schema.kind === "RawPrivateKeyToStaticPublicKey") return sharedSecret(schema.sender, schema.recipient);
  const sender = readCompressedPoint(curve, parties.sender);
  return sender === null ? null : sharedSecret(schema.own, sender);
}

function resolveOptions(options: RawEcdhKeyringOptions): { readonly curve: EcdhCurve; readonly schema: Resolved } {
  const { curve, schema } = options;
  if (!isEcdhCurve(curve))
    throw new EnvelopeError("option-invalid", "curve must be ECC_NIST_P256, ECC_NIST_P384 or ECC_NIST_P521");
  const problems: string[] = [];
  const publicKey = (name: string, input: EcPublicKeyInput): EcPublicKey | null => {
    const key = readEcPublicKey(curve, input);
    if (key === null)
      problems.push(
        `schema.${name} must be a public key of ${curve}: SubjectPublicKeyInfo in DER (bytes, not PEM text) or a key object`,
      );
    return key;
  };
  const privateKey = (name: string, input: EcPrivateKeyInput): EcPrivateKey | null => {
    const key = readEcPrivateKey(curve, input);
    if (key === null)
      problems.push(
        `schema.${name} must be a private key of ${curve}: PKCS #8 in PEM (BEGIN PRIVATE KEY) or a key object`,
      );
    return key;
  };
  const resolved = resolveSchema(schema, publicKey, privateKey);
  if (problems.length > 0 || resolved === null) throw new EnvelopeError("option-invalid", problems.join("; "));
  return { curve, schema: resolved };
}

/** null when a key could not be read. */
function resolveSchema(
  schema: RawEcdhSchema,
  publicKey: (name: string, input: EcPublicKeyInput) => EcPublicKey | null,
  privateKey: (name: string, input: EcPrivateKeyInput) => EcPrivateKey | null,
): Resolved | null {
  switch (schema.kind) {
    case "RawPrivateKeyToStaticPublicKey": {
      const [sender, recipient] = [
        privateKey("senderPrivateKey", schema.senderPrivateKey),
        publicKey("recipientPublicKey", schema.recipientPublicKey),
      ];
      return sender === null || recipient === null ? null : { kind: schema.kind, sender, recipient };
    }
    case "EphemeralPrivateKeyToStaticPublicKey": {
      const recipient = publicKey("recipientPublicKey", schema.recipientPublicKey);
      return recipient === null ? null : { kind: schema.kind, recipient };
    }
    case "PublicKeyDiscovery": {
      const own = privateKey("recipientPrivateKey", schema.recipientPrivateKey);
      return own === null ? null : { kind: schema.kind, own };
    }
    default:
      throw new EnvelopeError("option-invalid", "schema.kind is not a raw ECDH key agreement schema");
  }
}
