/**
 * @strongroom/envelope/aws-kms-ecdh: the AWS KMS ECDH keyring (framework/aws-kms/aws-kms-ecdh-keyring.md). As the raw
 *   ECDH keyring, whose messages it reads and which reads its, but the own private key stays in the KMS, which derives
 *   the shared secret.
 */
import { curveOption, ecKey, readCompressedPoint, readEcPublicKey, sharedSecretLength } from "../crypto/ecdh.ts";
import type { EcdhCurve, EcPublicKey, EcPublicKeyInput } from "../crypto/ecdh.ts";
import { equalInConstantTime, SecretBytes } from "../crypto/secret.ts";
import type { RegionAttempt, RegionFailureKind } from "../errors.ts";
import { EnvelopeError, shown } from "../errors.ts";
import type { EncryptedDataKey } from "../format/header.ts";
import { ecdhParties, ecdhProviderInfo, ecdhUnwrap, ecdhWrap, KMS_ECDH_PROVIDER } from "../keyrings/ecdh-wrapping.ts";
import type { EcdhParties } from "../keyrings/ecdh-wrapping.ts";
import type { DecryptionMaterials, Keyring } from "../keyrings/keyring.ts";
import type { KeyOutcome } from "../keyrings/data-keys.ts";
import { requireNoDataKey, unwrapDataKey, wrapDataKey } from "../keyrings/data-keys.ts";
import {
  abortSignal,
  anything,
  byKind,
  having,
  isBytes,
  needed,
  objectOf,
  oneOf,
  option,
  readOptions,
} from "../options.ts";
import type { Reader, RowsFor } from "../options.ts";
import type { KmsCallOptions } from "./aws-kms/client.ts";
import { askKms, grantsOf, wipeField, wrong } from "./aws-kms/kms-call.ts";
import { keyArn } from "./aws-kms/kms-key.ts";
import type { KeyArn } from "./aws-kms/kms-key.ts";
import { inWords, SINGLE_CALL_DEFAULTS, SINGLE_CALL_ROWS, SingleCalls } from "./aws-kms/single-calls.ts";
import type { SingleCallOptions } from "./aws-kms/single-calls.ts";

export type { EcdhCurve, EcPublicKeyInput } from "../crypto/ecdh.ts";

/** The two methods of an AWS KMS client that are called, as the class `KMS` of @aws-sdk/client-kms has them. */
export interface KmsEcdhClient {
  deriveSharedSecret(
    input: { KeyId: string; KeyAgreementAlgorithm: "ECDH"; PublicKey: Uint8Array; GrantTokens?: string[] },
    options?: KmsCallOptions,
  ): Promise<{
    KeyId?: string | undefined;
    SharedSecret?: Uint8Array | undefined;
    KeyAgreementAlgorithm?: string | undefined;
  }>;
  getPublicKey(
    input: { KeyId: string; GrantTokens?: string[] },
    options?: KmsCallOptions,
  ): Promise<{
    KeyId?: string | undefined;
    PublicKey?: Uint8Array | undefined;
    KeyUsage?: string | undefined;
    KeySpec?: string | undefined;
  }>;
}

/** Who has which keys (framework/key-agreement-schemas.md, "AWS KMS ECDH Key Agreement Schemas"). */
export type KmsEcdhSchema =
  /**
   * Both sides have lasting keys, ours in the KMS: writes to the recipient, and reads what either side wrote to the
   * other.
   */
  | {
      readonly kind: "KmsPrivateKeyToStaticPublicKey";
      readonly senderKeyArn: string;
      /** The KMS is asked for it when it is not given. */
      readonly senderPublicKey?: EcPublicKeyInput;
      readonly recipientPublicKey: EcPublicKeyInput;
    }
  /** Reads whatever anyone wrote to this key. Cannot write, and does not know who wrote. */
  | {
      readonly kind: "KmsPublicKeyDiscovery";
      readonly recipientKeyArn: string;
      /** The KMS is asked for it when it is not given. */
      readonly recipientPublicKey?: EcPublicKeyInput;
    };

export interface KmsEcdhKeyringOptions extends SingleCallOptions {
  /** All keys must be of this curve; SM2 is not supported. */
  readonly curve: EcdhCurve;
  /** Public keys: SubjectPublicKeyInfo in PEM or DER, or key objects. Keys of the KMS: ARNs. */
  readonly schema: KmsEcdhSchema;
  /** Of the key's region. Must not retry (`maxAttempts: 1`). */
  readonly client: KmsEcdhClient;
  /** Ends the question for the public key. */
  readonly signal?: AbortSignal;
}

export const KMS_ECDH_DEFAULTS: Required<SingleCallOptions> = SINGLE_CALL_DEFAULTS;

/**
 * Asks the KMS for the public half of its own key, unless it is given.
 *
 * @throws EnvelopeError `option-invalid`, with every problem listed; `keyring-unsuitable`, with `attempts`, when the
 *   KMS did not answer with a public key for key agreement on this curve; `deadline-exceeded`, `aborted`.
 *
 * @example
 * ```ts
 * import { generateKeyPairSync } from "node:crypto";
 * import { KMS } from "@aws-sdk/client-kms";
 * import { encrypt, inspect } from "@strongroom/envelope";
 * import { kmsEcdhKeyring } from "@strongroom/envelope/aws-kms-ecdh";
 *
 * // Our key, for key agreement; an endpoint only where it is not AWS itself.
 * const { region, keyArn, ...endpoint } = JSON.parse(process.env["KMS_ECDH_KEY"] ?? "{}");
 * const recipient = generateKeyPairSync("ec", { namedCurve: "P-256" });
 * const keyring = await kmsEcdhKeyring({
 *   curve: "ECC_NIST_P256",
 *   schema: {
 *     kind: "KmsPrivateKeyToStaticPublicKey",
 *     senderKeyArn: keyArn,
 *     recipientPublicKey: recipient.publicKey.export({ type: "spki", format: "der" }),
 *   },
 *   client: new KMS({ region, maxAttempts: 1, ...endpoint }),
 * });
 * const { message } = await encrypt(Buffer.from("Ada"), { keyring, encryptionContext: { id: "42" } });
 * console.log(inspect(message).encryptedDataKeys[0]?.providerId); // prints: aws-kms-ecdh
 * ```
 */
export async function kmsEcdhKeyring(options: KmsEcdhKeyringOptions): Promise<Keyring> {
  const resolved = resolveOptions(options);
  return keyringOf(resolved, resolved.ownPublicKey ?? (await fetchPublicKey(resolved)));
}

interface Resolved {
  readonly curve: EcdhCurve;
  readonly client: KmsEcdhClient;
  readonly bounds: Required<SingleCallOptions>;
  /** The own key, in the KMS. */
  readonly key: KeyArn;
  readonly ownPublicKey: EcPublicKey | null;
  /** The other side's key; null for discovery, which learns it from each message. */
  readonly peer: EcPublicKey | null;
  readonly signal: AbortSignal | undefined;
}

function keyringOf(resolved: Resolved, own: EcPublicKey): Keyring {
  const { curve, peer, bounds } = resolved;

  return {
    async onEncrypt(materials, call) {
      if (peer === null)
        throw new EnvelopeError(
          "keyring-unsuitable",
          "The schema KmsPublicKeyDiscovery cannot encrypt: it knows no recipient",
        );
      using calls = new SingleCalls(bounds, call);
      const parties = { sender: own.compressed, recipient: peer.compressed };
      const derived = await deriveSharedSecret(resolved, peer, calls);
      if (!(derived instanceof SecretBytes)) {
        throw new EnvelopeError(
          "wrap-failed",
          `AWS KMS did not derive the shared secret (${inWords(calls.attempts)})`,
          { attempts: calls.attempts },
        );
      }
      using secret = derived;
      return await wrapDataKey(materials, (dataKey) => ({
        providerId: KMS_ECDH_PROVIDER,
        providerInfo: ecdhProviderInfo(parties),
        ciphertext: ecdhWrap(dataKey, { curve, parties, secret, context: materials.encryptionContext.bytes }),
      }));
    },

    async onDecrypt(materials, encryptedDataKeys, call) {
      requireNoDataKey(materials);
      using calls = new SingleCalls(bounds, call);
      return await unwrapDataKey(materials, encryptedDataKeys, call, {
        isOurs: (key) => isOurs(ecdhParties(curve, key), own, peer),
        unwrap: (key) => unwrap(resolved, key, materials, calls),
        notAccepted: "does-not-open",
        isUnderPublicKey: true,
        attempts: calls.attempts,
      });
    },
  };
}

/** With a known peer both directions are ours: what we wrote to it, and what it wrote to us. */
function isOurs(parties: EcdhParties | null, own: EcPublicKey, peer: EcPublicKey | null): boolean {
  if (parties === null) return false;
  const toUs = equalInConstantTime(own.compressed, parties.recipient);
  if (peer === null) return toUs;
  const fromUs =
    equalInConstantTime(own.compressed, parties.sender) && equalInConstantTime(peer.compressed, parties.recipient);
  return fromUs || (toUs && equalInConstantTime(peer.compressed, parties.sender));
}

async function unwrap(
  resolved: Resolved,
  key: EncryptedDataKey,
  { suite, encryptionContext }: DecryptionMaterials,
  calls: SingleCalls,
): Promise<SecretBytes | KeyOutcome> {
  const { curve } = resolved;
  const parties = ecdhParties(curve, key);
  if (parties === null) return "does-not-open";
  // A sender that is no point on the curve never reaches the KMS.
  const peer = resolved.peer ?? readCompressedPoint(curve, parties.sender);
  if (peer === null) return "does-not-open";
  const derived = await deriveSharedSecret(resolved, peer, calls);
  if (!(derived instanceof SecretBytes)) return derived;
  using secret = derived;
  return (
    ecdhUnwrap(key.ciphertext, suite.keyLength, { curve, parties, secret, context: encryptionContext.bytes }) ??
    "does-not-open"
  );
}

function deriveSharedSecret(
  { curve, client, key, bounds }: Resolved,
  peer: EcPublicKey,
  calls: SingleCalls,
): Promise<SecretBytes | RegionFailureKind> {
  const input = {
    KeyId: key.arn,
    KeyAgreementAlgorithm: "ECDH" as const,
    PublicKey: peer.der,
    ...grantsOf(bounds.grantTokens),
  };
  return calls.call<SecretBytes>({
    key,
    operation: "DeriveSharedSecret",
    send: (abortSignal) =>
      askKms(
        () => client.deriveSharedSecret(input, { abortSignal }),
        ({ KeyId, SharedSecret, KeyAgreementAlgorithm }) => {
          if (KeyId !== key.arn) return wrong("wrong-key-id");
          if (KeyAgreementAlgorithm !== "ECDH" || !isBytes(SharedSecret)) return wrong("server-error");
          return SharedSecret.length === sharedSecretLength(curve)
            ? { value: new SecretBytes(SharedSecret) }
            : wrong("wrong-key-length");
        },
        ({ SharedSecret }) => {
          wipeField(SharedSecret);
        },
      ),
    discard: (late) => {
      late.wipe();
    },
  });
}

async function fetchPublicKey({ curve, client, key, bounds, signal }: Resolved): Promise<EcPublicKey> {
  using calls = new SingleCalls(bounds, { signal });
  const outcome = await calls.call({
    key,
    operation: "GetPublicKey",
    send: (abortSignal) =>
      askKms(
        () => client.getPublicKey({ KeyId: key.arn, ...grantsOf(bounds.grantTokens) }, { abortSignal }),
        ({ KeyId, PublicKey, KeyUsage, KeySpec }) =>
          KeyId === key.arn ? { value: { PublicKey, KeyUsage, KeySpec } } : wrong("wrong-key-id"),
        () => undefined,
      ),
    discard: () => undefined,
  });
  const attempts: readonly RegionAttempt[] = calls.attempts;
  if (typeof outcome === "string") {
    throw new EnvelopeError("keyring-unsuitable", `AWS KMS did not tell the key's public half (${inWords(attempts)})`, {
      attempts,
    });
  }
  const { PublicKey, KeyUsage, KeySpec } = outcome;
  const publicKey = readEcPublicKey(curve, PublicKey);
  if (KeyUsage !== "KEY_AGREEMENT" || KeySpec !== curve || typeof publicKey === "string") {
    const [spec, usage] = [shown(KeySpec ?? "of no spec"), shown(KeyUsage ?? "nothing")];
    throw new EnvelopeError(
      "keyring-unsuitable",
      `${key.arn} is not a key for key agreement on ${curve}, but ${spec} for ${usage}`,
    );
  }
  return publicKey;
}

const readOuter = objectOf({
  ...SINGLE_CALL_ROWS,
  curve: needed(curveOption),
  schema: needed(anything),
  client: needed(having<KmsEcdhClient>("a client of AWS KMS", "deriveSharedSecret", "getPublicKey")),
  signal: option(abortSignal),
} satisfies RowsFor<KmsEcdhKeyringOptions>);

function resolveOptions(options: KmsEcdhKeyringOptions): Resolved {
  return readOptions((given, _name, problems) => {
    const { curve, schema, client, signal, ...bounds } = readOuter(given, "", problems);
    return { ...schemaReader(curve)(schema, "schema", problems), curve, client, bounds, signal };
  }, options);
}

/** The own key and the other side's, whatever the schema calls them. */
type SchemaKeys = Pick<Resolved, "key" | "ownPublicKey" | "peer">;

type Schema<Kind extends KmsEcdhSchema["kind"]> = RowsFor<Extract<KmsEcdhSchema, { readonly kind: Kind }>>;

function schemaReader(curve: EcdhCurve): Reader<SchemaKeys> {
  const publicKey = ecKey(readEcPublicKey, curve);
  const fixed = objectOf({
    kind: needed(oneOf(["KmsPrivateKeyToStaticPublicKey"])),
    senderKeyArn: needed(keyArn),
    senderPublicKey: option(publicKey),
    recipientPublicKey: needed(publicKey),
  } satisfies Schema<"KmsPrivateKeyToStaticPublicKey">);
  const discovery = objectOf({
    kind: needed(oneOf(["KmsPublicKeyDiscovery"])),
    recipientKeyArn: needed(keyArn),
    recipientPublicKey: option(publicKey),
  } satisfies Schema<"KmsPublicKeyDiscovery">);
  return byKind<SchemaKeys>({
    KmsPrivateKeyToStaticPublicKey(value, name, problems) {
      const { senderKeyArn: key, senderPublicKey = null, recipientPublicKey: peer } = fixed(value, name, problems);
      return { key, ownPublicKey: senderPublicKey, peer };
    },
    KmsPublicKeyDiscovery(value, name, problems) {
      const { recipientKeyArn: key, recipientPublicKey = null } = discovery(value, name, problems);
      return { key, ownPublicKey: recipientPublicKey, peer: null };
    },
  });
}
