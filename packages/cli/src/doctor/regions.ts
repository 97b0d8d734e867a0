// Each region: does it answer, may the key be used, do the clocks agree.
import { systemErrorCode } from "@strongroom/base/files";
import { readRunning } from "../data-folder.ts";
import { kmsClient, type KmsRegion } from "../installation/keyring.ts";
import { readRegionKeys, type RegionKeys } from "../installation/region-keys.ts";
import { type Check, type CheckSubject, type Finding, PATIENCE_MS } from "./check.ts";

/** AWS Signature Version 4 refuses requests whose time is further off than five minutes. */
const CLOCK_SKEW_MS = { warning: 60_000, failure: 300_000 } as const;

interface KnownRegion extends KmsRegion {
  readonly keyArn: string | null;
}

/** Reachability, key state and clock, region by region, in parallel. */
export const checkRegions: Check = async (subject) => {
  const regions = await knownRegions(subject);
  const findings = await Promise.all(regions.map((region) => examine(region, subject)));
  return findings.flat();
};

/** The regions of `serve` if they are configured, else those of the local KMS where it listens now, or would. */
async function knownRegions({ loaded: { config }, folder }: CheckSubject): Promise<readonly KnownRegion[]> {
  const keys = await readRegionKeys(folder.keys).catch((): RegionKeys => ({}));
  if (config.keys.regions !== undefined) {
    return config.keys.regions.map(({ keyArn, ...region }) => ({
      ...region,
      keyArn: keyArn ?? keys[region.region] ?? null,
    }));
  }
  const running = foundRunning(folder.running);
  return config.kms.regions.map(({ name, port }) => ({
    region: name,
    endpoint: running?.kms[name] ?? `http://127.0.0.1:${port}`,
    credentialsFile: folder.kmsCredentials,
    keyArn: keys[name] ?? null,
  }));
}

function foundRunning(path: string): ReturnType<typeof readRunning> {
  try {
    return readRunning(path);
  } catch {
    // What is wrong with the file is said by the check of the service.
    return null;
  }
}

async function examine(region: KnownRegion, subject: CheckSubject): Promise<readonly Finding[]> {
  const what = `Region ${region.region}`;
  const endpoint = region.endpoint ?? `https://kms.${region.region}.amazonaws.com`;
  const signal = AbortSignal.any([subject.signal, AbortSignal.timeout(PATIENCE_MS)]);
  let response: Response;
  try {
    response = await fetch(endpoint, { signal, redirect: "manual" });
    await response.body?.cancel();
  } catch (error) {
    const inner = error instanceof Error ? (error.cause ?? error) : error;
    const reason = signal.aborted ? "no answer in time" : (systemErrorCode(inner) ?? "no connection");
    return [
      { what, severity: "failure", detail: `${endpoint} does not answer (${reason})`, remedy: remedyFor(region) },
    ];
  }
  const clock = clockFinding(region.region, response.headers.get("date"));
  return [
    ...(response.headers.has(EMULATOR_HEADER) ? [emulatorFinding(region.region)] : []),
    await keyFinding(what, region, subject),
    ...(clock === null ? [] : [clock]),
  ];
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

function remedyFor({ endpoint }: KnownRegion): string {
  if (endpoint === undefined)
    return "Check the network and whether AWS reports an outage; the other regions go on meanwhile.";
  return /\/\/(127\.|localhost)/.test(endpoint)
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

async function keyFinding(what: string, region: KnownRegion, { signal }: CheckSubject): Promise<Finding> {
  if (region.keyArn === null)
    return {
      what,
      severity: "warning",
      detail: "answers; its key is not known yet",
      remedy: "strongroom up makes it; strongroom serve needs keys.regions[].keyArn.",
    };
  try {
    const client = await kmsClient(region);
    const { KeyMetadata } = await client.describeKey({ KeyId: region.keyArn }, { abortSignal: signal });
    const state = KeyMetadata?.KeyState ?? "unknown";
    return {
      what,
      detail: `answers; the key is ${state}`,
      ...(KEY_STATES[state] ?? { severity: "failure", remedy: "Look at the key in its console." }),
    };
  } catch (error) {
    const name = error instanceof Error ? error.name : "unknown";
    return {
      what,
      severity: "failure",
      detail: `answers, but DescribeKey was refused (${name})`,
      remedy: KEY_REMEDIES[name] ?? "Check the credentials and the key's policy.",
    };
  }
}

const KEY_REMEDIES: Readonly<Record<string, string>> = {
  NotFoundException:
    "The key in the configuration (or keys.json) is not of this KMS: restore the KMS's data, or name the right key.",
  AccessDeniedException: "Allow kms:DescribeKey, kms:GenerateDataKey, kms:Encrypt and kms:Decrypt on the key.",
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
