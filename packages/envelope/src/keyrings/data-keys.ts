/**
 * What keyrings have in common: wrapping a data key once (framework/keyring-interface.md, "OnEncrypt"), trying the
 * encrypted data keys that are theirs until one opens ("OnDecrypt"), and the error for "nothing opened this message",
 * which tells which keys could have, and what came of each.
 */
import { randomSecret, SecretBytes } from "../crypto/secret.ts";
import { EnvelopeError, requireNotAborted, shown, shownList } from "../errors.ts";
import type { EnvelopeErrorCode } from "../error-table.ts";
import type { EncryptedDataKeyReport, RegionAttempt } from "../errors.ts";
import type { EncryptedDataKey } from "../format/header.ts";
import type { DecryptionMaterials, EncryptionMaterials, KeyringCall, OpeningKey } from "./keyring.ts";

/**
 * Called first by every onDecrypt (framework/keyring-interface.md, "OnDecrypt"): two data keys are a programming error.
 */
export function requireNoDataKey(materials: DecryptionMaterials): void {
  if (materials.dataKey !== null) {
    throw new EnvelopeError("option-invalid", "onDecrypt was called with materials that already have a data key");
  }
}

export interface UnwrapPlan {
  isOurs(key: EncryptedDataKey): boolean;
  /** The data key, or why there is none. What it throws ends the whole call. */
  unwrap(key: EncryptedDataKey): SecretBytes | KeyOutcome | Promise<SecretBytes | KeyOutcome>;
  /** Whether anybody who has a public key can make such wraps; left out: nobody can. */
  readonly isUnderPublicKey?: true;
  /** What is said of a key that opened but is not the message's. */
  readonly notAccepted: KeyOutcome;
  /** Calls that failed so far, for the error. */
  readonly attempts?: readonly RegionAttempt[];
  /** Makes the error of another code where the keyring knows better. */
  readonly failure?: (unopened: EnvelopeError) => EnvelopeError;
  /** What opened it, where that is not what the encrypted data key names. */
  readonly openedBy?: (key: EncryptedDataKey) => OpeningKey;
}

/**
 * Tries the encrypted data keys that are the keyring's, in the order of the message, until one opens and is the
 * message's own; what came of each of the others is collected.
 *
 * @throws EnvelopeError as Keyring.onDecrypt does
 */
export async function unwrapDataKey(
  materials: DecryptionMaterials,
  encryptedDataKeys: readonly EncryptedDataKey[],
  { signal, secretKeysOnly }: KeyringCall,
  plan: UnwrapPlan,
): Promise<DecryptionMaterials> {
  requireNoDataKey(materials);
  const outcomes = new Map<EncryptedDataKey, KeyOutcome>();
  const isLeft = secretKeysOnly === true && plan.isUnderPublicKey === true;
  for (const key of isLeft ? [] : encryptedDataKeys.filter((each) => plan.isOurs(each))) {
    requireNotAborted(signal);
    const dataKey = await plan.unwrap(key);
    if (!(dataKey instanceof SecretBytes)) {
      outcomes.set(key, dataKey);
      continue;
    }
    if (dataKey.length === materials.suite.keyLength && materials.accepts(dataKey.bytes))
      return { ...materials, dataKey, openedBy: plan.openedBy?.(key) ?? namedKey(key), ...refusedOf(outcomes) };
    dataKey.wipe();
    outcomes.set(key, plan.notAccepted);
  }
  const unopened = unopenedError(encryptedDataKeys, outcomes, plan.attempts);
  throw plan.failure?.(unopened) ?? unopened;
}

/** Generates a data key when there is none and wraps it; one that it made is wiped again if that fails. */
export async function wrapDataKey(
  materials: EncryptionMaterials,
  wrap: (dataKey: SecretBytes) => EncryptedDataKey | Promise<EncryptedDataKey>,
): Promise<EncryptionMaterials> {
  const dataKey = materials.dataKey ?? randomSecret(materials.suite.keyLength);
  try {
    const wrapped = await wrap(dataKey);
    return { ...materials, dataKey, encryptedDataKeys: [...materials.encryptedDataKeys, wrapped] };
  } catch (error) {
    if (materials.dataKey === null) dataKey.wipe();
    throw error;
  }
}

export type KeyOutcome = EncryptedDataKeyReport["outcome"];

/** Outcomes that are about the bytes, not about whether a key could be reached. */
const CRYPTOGRAPHIC: ReadonlySet<KeyOutcome> = new Set<KeyOutcome>([
  "does-not-open",
  "invalid-ciphertext",
  "wrong-data-key",
]);

/** The encrypted data keys that are themselves wrong, as `DecryptionMaterials.refused` tells them. */
export function refusedOf(outcomes: ReadonlyMap<EncryptedDataKey, KeyOutcome>): Pick<DecryptionMaterials, "refused"> {
  const refused: EncryptedDataKeyReport[] = [];
  for (const [key, outcome] of outcomes) if (CRYPTOGRAPHIC.has(outcome)) refused.push(report(key, outcome));
  return refused.length === 0 ? {} : { refused };
}

/**
 * Of several outcomes for one encrypted data key: what kept a key from being asked says more than that another refused.
 */
export function weightiest(outcomes: readonly KeyOutcome[]): KeyOutcome {
  const tried = outcomes.filter((outcome) => outcome !== "not-configured");
  return tried.find((outcome) => !CRYPTOGRAPHIC.has(outcome)) ?? tried[0] ?? "not-configured";
}

/**
 * @param outcomes what came of each encrypted data key that was tried; those not in it belong to no configured key.
 */
export function unopenedError(
  encryptedDataKeys: readonly EncryptedDataKey[],
  outcomes: ReadonlyMap<EncryptedDataKey, KeyOutcome>,
  attempts?: readonly RegionAttempt[],
): EnvelopeError {
  const reports = encryptedDataKeys.map((key) => report(key, outcomes.get(key) ?? "not-configured"));
  return unopenedErrorFromReports(reports, attempts);
}

export function unopenedErrorFromReports(
  reports: readonly EncryptedDataKeyReport[],
  attempts?: readonly RegionAttempt[],
): EnvelopeError {
  const code = codeFor(reports);
  const listed = reports.map(
    ({ providerId, key, region, outcome }) =>
      `${shown(providerId)} ${shown(key)}${region === null ? "" : ` (${shown(region)})`}: ${outcome}`,
  );
  return new EnvelopeError(code, `${SUMMARY[code]} ${shownList(listed)}`, {
    encryptedDataKeys: reports,
    ...(attempts === undefined ? {} : { attempts }),
  });
}

type UnopenedCode = Extract<EnvelopeErrorCode, "no-matching-key" | "decryption-failed" | "regions-unavailable">;

const SUMMARY: Readonly<Record<UnopenedCode, string>> = {
  "no-matching-key": "No configured key belongs to this message. It is encrypted for:",
  "decryption-failed": "The message does not authenticate. Its keys were tried:",
  "regions-unavailable": "No region could unwrap the data key:",
};

function codeFor(reports: readonly EncryptedDataKeyReport[]): UnopenedCode {
  const tried = reports.filter(({ outcome }) => outcome !== "not-configured");
  if (tried.length === 0) return "no-matching-key";
  return tried.every(({ outcome }) => CRYPTOGRAPHIC.has(outcome)) ? "decryption-failed" : "regions-unavailable";
}

function report(key: EncryptedDataKey, outcome: KeyOutcome): EncryptedDataKeyReport {
  return { ...namedKey(key), outcome };
}

/**
 * The key that an encrypted data key names, as `inspect` and `openedBy` tell it.
 *
 * @example
 * ```ts
 * import { randomBytes } from "node:crypto";
 * import { encrypt, rawAesKeyring } from "@strongroom/envelope";
 * import { namedKey } from "@strongroom/envelope/keyrings";
 *
 * const keyring = rawAesKeyring({ keyNamespace: "my-app", keyName: "2026-01", wrappingKey: randomBytes(32) });
 * const { encryptedDataKeys } = await encrypt(Buffer.from("hello"), { keyring, encryptionContext: { id: "42" } });
 * console.log(encryptedDataKeys.map((stored) => namedKey(stored).key).join()); // prints: 2026-01
 * ```
 */
export function namedKey({ providerId, providerInfo }: EncryptedDataKey): OpeningKey {
  const key = providerInfoText(providerInfo);
  return { providerId, key, region: arnRegion(key) };
}

/**
 * The leading part of a provider info that is printable text: all of an ARN, the name in a raw AES key's. Hexadecimal
 * when it does not begin with text: the public keys of an ECDH keyring.
 */
export function providerInfoText(info: Uint8Array): string {
  const text = new TextDecoder().decode(info);
  const printable = /^[^\p{Cc}\p{Cs}\uFFFD]*/u.exec(text)?.[0] ?? "";
  return printable === "" ? Buffer.from(info).toString("hex") : printable;
}

/** `arn:partition:kms:REGION:account:key/id` */
export function arnRegion(text: string): string | null {
  return /^arn:[^:]+:kms:([a-z0-9-]+):/.exec(text)?.[1] ?? null;
}
