/**
 * @strongroom/envelope/raw-ecdh: the raw ECDH keyring (framework/raw-ecdh-keyring.md). Data keys are wrapped under a
 * secret that sender and recipient agree on, each from the own private key and the other's public one.
 */
import {
  curveOption,
  ecKey,
  generateEcKeyPair,
  readCompressedPoint,
  readEcPrivateKey,
  readEcPublicKey,
  sharedSecret,
} from "../crypto/ecdh.ts";
import type { EcdhCurve, EcPrivateKey, EcPrivateKeyInput, EcPublicKey, EcPublicKeyInput } from "../crypto/ecdh.ts";
import { equalInConstantTime } from "../crypto/secret.ts";
import type { SecretBytes } from "../crypto/secret.ts";
import { EnvelopeError, requireNotAborted } from "../errors.ts";
import { anything, byKind, needed, objectOf, oneOf, readOptions } from "../options.ts";
import type { Reader, RowsFor } from "../options.ts";
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
  /**
   * Keys in PEM or DER, or key objects. Private ones in PKCS #8 or SEC 1, not encrypted; public ones as
   * SubjectPublicKeyInfo.
   */
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
        isUnderPublicKey: true,
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

const readOuter = objectOf({
  curve: needed(curveOption),
  schema: needed(anything),
} satisfies RowsFor<RawEcdhKeyringOptions>);

function resolveOptions(options: RawEcdhKeyringOptions): { readonly curve: EcdhCurve; readonly schema: Resolved } {
  return readOptions((given, _name, problems) => {
    const { curve, schema } = readOuter(given, "", problems);
    return { curve, schema: schemaReader(curve)(schema, "schema", problems) };
  }, options);
}

type Schema<Kind extends RawEcdhSchema["kind"]> = RowsFor<Extract<RawEcdhSchema, { readonly kind: Kind }>>;

function schemaReader(curve: EcdhCurve): Reader<Resolved> {
  const publicKey = needed(ecKey(readEcPublicKey, curve));
  const privateKey = needed(ecKey(readEcPrivateKey, curve));
  const fixed = objectOf({
    kind: needed(oneOf(["RawPrivateKeyToStaticPublicKey"])),
    senderPrivateKey: privateKey,
    recipientPublicKey: publicKey,
  } satisfies Schema<"RawPrivateKeyToStaticPublicKey">);
  const ephemeral = objectOf({
    kind: needed(oneOf(["EphemeralPrivateKeyToStaticPublicKey"])),
    recipientPublicKey: publicKey,
  } satisfies Schema<"EphemeralPrivateKeyToStaticPublicKey">);
  const discovery = objectOf({
    kind: needed(oneOf(["PublicKeyDiscovery"])),
    recipientPrivateKey: privateKey,
  } satisfies Schema<"PublicKeyDiscovery">);
  return byKind<Resolved>({
    RawPrivateKeyToStaticPublicKey(value, name, problems) {
      const { kind, senderPrivateKey: sender, recipientPublicKey: recipient } = fixed(value, name, problems);
      return { kind, sender, recipient };
    },
    EphemeralPrivateKeyToStaticPublicKey(value, name, problems) {
      const { kind, recipientPublicKey: recipient } = ephemeral(value, name, problems);
      return { kind, recipient };
    },
    PublicKeyDiscovery(value, name, problems) {
      const { kind, recipientPrivateKey: own } = discovery(value, name, problems);
      return { kind, own };
    },
  });
}
