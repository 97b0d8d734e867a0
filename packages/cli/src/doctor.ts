// Everything that `strongroom doctor` checks, in the order in which it is shown: the machine and the data folder, then
// each region (does it answer, may the key be used, do the clocks agree), then the service.
import { readdir, stat, statfs } from "node:fs/promises";
import { join } from "node:path";
import type { LoadedConfig } from "./config/load.ts";
import { type DataFolder, readRunning } from "./data-folder.ts";
import { systemErrorCode } from "@strongroom/base/files";
import { CliError } from "./errors.ts";
import { kmsClient, type KmsRegion } from "./installation/keyring.ts";
import { readRegionKeys, type RegionKeys } from "./installation/region-keys.ts";
import { asCliError, clientOf, findConnection, findOrigin } from "./connection.ts";

/** How bad a finding is: a warning does not fail the run. */
export type Severity = "ok" | "warning" | "failure";

/** One line of the doctor's table. */
export interface Finding {
  readonly what: string;
  readonly severity: Severity;
  readonly detail: string;
  /** What to do; absent where nothing is to be done. */
  readonly remedy?: string;
}

/** What a check looks at. */
interface CheckSubject {
  readonly loaded: LoadedConfig;
  readonly folder: DataFolder;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly signal: AbortSignal;
}

/** A check gives one finding or several; it does not throw for what it is there to find. */
type Check = (subject: CheckSubject) => Promise<readonly Finding[]>;

const GIBIBYTE = 1024 ** 3;
/** Below the first a warning, below the second a failure: SQLite needs room for its log beside the database. */
const ROOM = { warning: GIBIBYTE, failure: GIBIBYTE / 10 } as const;
const OLDEST_NODE = { major: 22, minor: 18 } as const;

/** Node's version. */
const checkNode: Check = async () => {
  const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
  const fits = major > OLDEST_NODE.major || (major === OLDEST_NODE.major && minor >= OLDEST_NODE.minor);
  const finding = { what: "Node", detail: `version ${process.versions.node}` };
  return [
    fits
      ? { ...finding, severity: "ok" }
      : { ...finding, severity: "failure", remedy: `Install Node ${OLDEST_NODE.major}.${OLDEST_NODE.minor} or newer.` },
  ];
};

/** The configuration was valid, or no check would run; this says where it came from. */
const checkConfiguration: Check = async ({ loaded }) => {
  const outside = [...loaded.origins]
    .filter(([, origin]) => origin !== loaded.file)
    .map(([path, origin]) => `${path} by ${origin}`);
  const source = loaded.file ?? "defaults, no file";
  return [{ what: "Configuration", severity: "ok", detail: [source, ...outside].join("; ") }];
};

/** The folder and every file in it belong to their owner alone. */
const checkPermissions: Check = async ({ folder }) => {
  try {
    const entries = await readdir(folder.path, { recursive: true, withFileTypes: true });
    const paths = [folder.path, ...entries.map((entry) => join(entry.parentPath, entry.name))];
    const open: string[] = [];
    for (const path of paths) {
      const found = await stat(path).catch(() => null);
      if (found !== null && (found.mode & 0o077) !== 0) open.push(path);
    }
    const what = "Data folder";
    if (open.length === 0)
      return [{ what, severity: "ok", detail: `${folder.path}: ${entries.length} files, for their owner alone` }];
    return [
      {
        what,
        severity: "failure",
        detail: `open to other users: ${open.join(", ")}`,
        remedy: `chmod -R go-rwx ${folder.path}`,
      },
    ];
  } catch (error) {
    return [unusableFolder(folder.path, systemErrorCode(error))];
  }
};

function unusableFolder(path: string, code: string | null): Finding {
  if (code === "ENOENT")
    return {
      what: "Data folder",
      severity: "warning",
      detail: `${path} does not exist yet`,
      remedy: "strongroom up makes it.",
    };
  return {
    what: "Data folder",
    severity: "failure",
    detail: `${path}: ${code ?? "not readable"}`,
    remedy: "Run as the folder's owner, or choose another with --data-dir.",
  };
}

/** Room on the disk of the data folder. */
const checkSpace: Check = async ({ folder }) => {
  const found = await statfs(folder.path).catch(() => null);
  if (found === null) return [];
  const free = found.bavail * found.bsize;
  const finding = { what: "Disk space", detail: `${(free / GIBIBYTE).toFixed(1)} GiB free` };
  if (free >= ROOM.warning) return [{ ...finding, severity: "ok" }];
  return [
    {
      ...finding,
      severity: free < ROOM.failure ? "failure" : "warning",
      remedy: `Make room on the disk of ${folder.path}; writes are refused when it is full.`,
    },
  ];
};

/** Every region's key is known: from the configuration, or remembered in keys.json, which can be read. */
const checkKeyFile: Check = async ({ folder, loaded: { config } }) => {
  try {
    const keys = Object.keys(await readRegionKeys(folder.keys));
    if (keys.length > 0) return [{ what: "Keys", severity: "ok", detail: `remembered for ${keys.join(", ")}` }];
    if (config.keys.regions?.every(({ keyArn }) => keyArn !== undefined) === true)
      return [{ what: "Keys", severity: "ok", detail: "all are named by keys.regions" }];
    return [
      {
        what: "Keys",
        severity: "warning",
        detail: "none are remembered",
        remedy: "strongroom up makes them; strongroom serve takes them from keys.regions.",
      },
    ];
  } catch (error) {
    const known = error instanceof CliError ? error : null;
    return [
      {
        what: "Keys",
        severity: "failure",
        detail: known?.detail ?? "keys.json cannot be read",
        remedy: known?.remedy ?? "Check its permissions.",
      },
    ];
  }
};

/** AWS Signature Version 4 refuses requests whose time is further off than five minutes. */
const CLOCK_SKEW_MS = { warning: 60_000, failure: 300_000 } as const;

/** Longest wait for an answer of a region or of the service, in milliseconds. */
const PATIENCE_MS = 5000;

interface KnownRegion extends KmsRegion {
  readonly keyArn: string | null;
}

/** Reachability, key state and clock, region by region, in parallel. */
const checkRegions: Check = async (subject) => {
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
  const running = await readRunning(folder.running).catch(() => null);
  return config.kms.regions.map(({ name, port }) => ({
    region: name,
    endpoint: running?.kms[name] ?? `http://127.0.0.1:${port}`,
    credentialsFile: folder.kmsCredentials,
    keyArn: keys[name] ?? null,
  }));
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

/**
 * Whether the service answers and takes the token. Not running is no failure: the doctor is often called before the
 * first start.
 */
const checkService: Check = async ({ loaded, env, signal }) => {
  const what = "Service";
  const { origin } = await findOrigin(loaded);
  try {
    const connection = await findConnection(loaded, env);
    await clientOf(connection, PATIENCE_MS, signal).collections();
    return [{ what, severity: "ok", detail: `${origin} answers and takes the token` }];
  } catch (cause) {
    const error = asCliError(cause);
    if (!(error instanceof CliError)) throw error;
    if (error.code === "service-unreachable" || error.code === "token-missing") {
      return [{ what, severity: "warning", detail: error.detail ?? error.title, remedy: error.remedy }];
    }
    return [
      { what, severity: "failure", detail: `${origin}: ${error.title} [${error.reportedCode}]`, remedy: error.remedy },
    ];
  }
};

/** The checks. */
export const CHECKS: readonly Check[] = [
  checkNode,
  checkConfiguration,
  checkPermissions,
  checkSpace,
  checkKeyFile,
  checkRegions,
  checkService,
];
