/**
 * The error for "nothing opened this message": which keys could have, and what came of each.
 */
import type { EncryptedDataKeyReport, RegionAttempt } from "../errors/attempts.ts";
import type { EnvelopeErrorCode } from "../errors/catalogue.ts";
import { EnvelopeError } from "../errors/envelope-error.ts";
import type { EncryptedDataKey } from "../format/encrypted-data-key.ts";

export type Outcome = EncryptedDataKeyReport["outcome"];

/** Outcomes that are about the bytes, not about whether a key could be reached. */
const CRYPTOGRAPHIC: ReadonlySet<Outcome> = new Set<Outcome>(["does-not-open", "invalid-ciphertext", "wrong-data-key"]);

/**
 * Of several outcomes for one encrypted data key: what kept a key from being asked says more than that another refused.
 */
export function weightiest(outcomes: readonly Outcome[]): Outcome {
  const tried = outcomes.filter((outcome) => outcome !== "not-configured");
  return tried.find((outcome) => !CRYPTOGRAPHIC.has(outcome)) ?? tried[0] ?? "not-configured";
}

/**
 * @param outcomes what came of each encrypted data key that was tried; those not in it belong to no configured key.
 */
export function unopenedError(
  encryptedDataKeys: readonly EncryptedDataKey[],
  outcomes: ReadonlyMap<EncryptedDataKey, Outcome>,
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
      `${providerId} ${key}${region === null ? "" : ` (${region})`}: ${outcome}`,
  );
  return new EnvelopeError(code, `${SUMMARY[code]} ${listed.join("; ")}`, {
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

function report(key: EncryptedDataKey, outcome: Outcome): EncryptedDataKeyReport {
  const text = providerInfoText(key.providerInfo);
  return { providerId: key.providerId, key: text, region: arnRegion(text), outcome };
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
