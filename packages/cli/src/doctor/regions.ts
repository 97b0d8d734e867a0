// Each region: does it answer, may the key be used, do the clocks agree.
import type { IncomingHttpHeaders } from "node:http";
import { systemErrorCode } from "@strongroom/base/files";
import { CliError } from "../errors.ts";
import { kmsClient } from "../installation/keyring.ts";
import type { KeyPurpose } from "../installation/installed-keys.ts";
import { type Check, type CheckSubject, type Finding, PATIENCE_MS } from "./check.ts";
import { openRegions } from "../installation/kms-transport.ts";
import { addressOf, answerHeaders, type KnownRegion, knownRegions, keysOf } from "./known-regions.ts";

/** AWS Signature Version 4 refuses requests whose time is further off than five minutes. */
const CLOCK_SKEW_MS = { warning: 60_000, failure: 300_000 } as const;

/** Reachability, key state and clock, region by region, in parallel. */
export const checkRegions: Check = async (subject) => {
  const regions = await knownRegions(subject);
  const findings = await Promise.all(regions.map((region) => examine(region, subject)));
  // Of the local KMS that `up` runs the service uses no port.
  const { keys } = subject.loaded.config;
  const open = keys.regions !== undefined && keys.allowUnauthenticatedKms ? openRegions(regions) : [];
  return [...findings.flat(), ...open.map(openFinding)];
};

/** Allowed, and said for as long as it is. */
const openFinding = (region: string): Finding => ({
  what: `Plain HTTP (${region})`,
  severity: "warning",
  detail: "whoever takes the region's address is sent data keys in plaintext (keys.allowUnauthenticatedKms)",
  remedy: "strongroom kms serve --tls, and its fingerprint as keys.regions[].tlsFingerprint.",
});

async function examine(region: KnownRegion, subject: CheckSubject): Promise<readonly Finding[]> {
  const what = `Region ${region.region}`;
  const signal = AbortSignal.any([subject.signal, AbortSignal.timeout(PATIENCE_MS)]);
  let headers: IncomingHttpHeaders;
  try {
    headers = await answerHeaders(region, signal);
  } catch (error) {
    return [unreached(what, region, error, signal)];
  }
  const clock = clockFinding(region.region, headers.date ?? null);
  return [
    ...(headers[EMULATOR_HEADER] !== undefined ? [emulatorFinding(region.region)] : []),
    ...(await keyFindings(what, region, subject)),
    ...(clock === null ? [] : [clock]),
  ];
}

function unreached(what: string, region: KnownRegion, error: unknown, signal: AbortSignal): Finding {
  const address = addressOf(region);
  if (error instanceof CliError)
    return { what, severity: "failure", detail: `${address}: ${error.title}`, remedy: error.remedy };
  if (systemErrorCode(error) === "certificate-not-pinned")
    return {
      what,
      severity: "failure",
      detail: `${address} has another certificate than the one that is pinned, and was sent nothing`,
      remedy: "Find out who listens there. If the KMS got a new certificate, correct keys.regions[].tlsFingerprint.",
    };
  const reason = signal.aborted ? "no answer in time" : (systemErrorCode(error) ?? "no connection");
  return { what, severity: "failure", detail: `${address} does not answer (${reason})`, remedy: remedyFor(region) };
}

/** In every answer of `strongroom-kms serve --emulator`. */
const EMULATOR_HEADER = "x-strongroom-emulator";

/** Threat: personal data under keys that any program on the machine may use and delete. */
const emulatorFinding = (region: string): Finding => ({
  what: `Emulator (${region})`,
  severity: "failure",
  detail: "the region is an emulator, which checks no signature",
  remedy: "Use strongroom up or strongroom kms serve without --emulator, and write the data anew under its keys.",
});

function remedyFor({ socket, endpoint }: KnownRegion): string {
  if (socket === undefined && endpoint === undefined)
    return "Check the network and whether AWS reports an outage; the other regions go on meanwhile.";
  return socket !== undefined || /\/\/(127\.|localhost)/.test(endpoint ?? "")
    ? "Start it: strongroom up (or strongroom kms serve)."
    : "Start the KMS there, and check the endpoint in keys.regions.";
}

/** AWS key state -> how bad that is and what to do (AWS KMS developer guide, "Key states of AWS KMS keys"). */
const KEY_STATES: Readonly<Record<string, { readonly severity: Finding["severity"]; readonly remedy?: string }>> = {
  Enabled: { severity: "ok" },
  Disabled: { severity: "failure", remedy: "Enable the key: aws kms enable-key --key-id ARN" },
  PendingDeletion: {
    severity: "failure",
    remedy: "Cancel the deletion before its day comes: aws kms cancel-key-deletion --key-id ARN, then enable the key.",
  },
};

/** Of the key of records, and of that of people where it is another one. */
async function keyFindings(what: string, region: KnownRegion, subject: CheckSubject): Promise<readonly Finding[]> {
  if (region.keyArn === null)
    return [
      {
        what,
        severity: "warning",
        detail: "answers; its key is not known yet",
        remedy: "strongroom up makes it; strongroom serve needs keys.regions[].keyArn.",
      },
    ];
  return Promise.all(
    keysOf(region).map(async ([purpose, keyArn]) => keyFinding(what, { region, purpose, keyArn }, subject)),
  );
}

interface LookedAtKey {
  readonly region: KnownRegion;
  readonly purpose: KeyPurpose;
  readonly keyArn: string;
}

async function keyFinding(
  what: string,
  { region, purpose, keyArn }: LookedAtKey,
  { signal }: CheckSubject,
): Promise<Finding> {
  try {
    const client = await kmsClient(region);
    const { KeyMetadata } = await client.describeKey({ KeyId: keyArn }, { abortSignal: signal });
    const state = KeyMetadata?.KeyState ?? "unknown";
    return {
      what,
      detail: `answers; the key${purpose === "keyStore" ? " of people" : ""} is ${state}`,
      ...(KEY_STATES[state] ?? { severity: "failure", remedy: "Look at the key in its console." }),
    };
  } catch (error) {
    const name = error instanceof Error ? error.name : "unknown";
    // The permission itself is a finding of permissions.ts.
    if (name === "AccessDeniedException")
      return { what, severity: "warning", detail: "answers; the key's state may not be seen", remedy: SEE_BELOW };
    return {
      what,
      severity: "failure",
      detail: `answers, but DescribeKey was refused (${name})`,
      remedy: KEY_REMEDIES[name] ?? "Check the credentials and the key's policy.",
    };
  }
}

const SEE_BELOW = "Allow kms:DescribeKey on the key: the permission that lacks is named below.";

const KEY_REMEDIES: Readonly<Record<string, string>> = {
  NotFoundException:
    "The key in the configuration (or keys.json) is not of this KMS: restore the KMS's data, or name the right key.",
  CredentialsProviderError: "Give the service credentials: environment, profile or role, as the AWS SDK finds them.",
  CliError: "The credentials file is missing or damaged: strongroom up makes it at first start.",
};

function clockFinding(region: string, date: string | null): Finding | null {
  if (date === null || Number.isNaN(Date.parse(date))) return null;
  const skew = Date.now() - Date.parse(date);
  const away = Math.abs(skew);
  const finding = {
    what: `Clock (${region})`,
    detail: `${Math.round(away / 1000)} s ${skew < 0 ? "behind" : "ahead of"} the region's`,
  };
  if (away < CLOCK_SKEW_MS.warning) return { ...finding, severity: "ok", detail: "agrees" };
  return {
    ...finding,
    severity: away < CLOCK_SKEW_MS.failure ? "warning" : "failure",
    remedy: "Set the clock (NTP): signed requests are refused when it is five minutes off.",
  };
}
