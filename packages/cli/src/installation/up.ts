// What `strongroom up` does: the KMS as a process of its own, the service in this one; keys, tokens and folders are
// made at first start and found again at every later one. Wires; the parts are beside this file.
import { once } from "node:events";
import type { RotatingLog } from "@strongroom/base/rotating-log";
import { logDestination } from "@strongroom/base/terminal/log";
import { keySetDigest } from "@strongroom/vault";
import { pino } from "pino";
import { printable } from "@strongroom/base/terminal";
import type { CommandContext } from "../command.ts";
import { type Config, wrapPolicy } from "../config/config.ts";
import {
  type DataFolder,
  lockDataFolder,
  openLogFile,
  prepareDataFolder,
  removeRunning,
  writeRunning,
} from "../data-folder.ts";
import { CliError } from "../errors.ts";
import type { Gates } from "./audited-key-sets.ts";
import { followKeysFile } from "./follow-keys-file.ts";
import { nextKeySets } from "./next-key-sets.ts";
import { missingPermissions } from "./key-permissions.ts";
import { moveInLog, moveOnTerminal, moveTo } from "../store/moving.ts";
import { placeSettings, STORE_ROLES } from "../store/which.ts";
import type { InstalledKeySets } from "./key-sets.ts";
import type { InstalledRegion } from "./keyring.ts";
import { type KmsProcess, startKmsProcess } from "./kms-process.ts";
import { localKeySet, regionClients, withKeys } from "./local-kms.ts";
import { type KeyPurpose, readInstallationKeys, type RegionKeys } from "./installed-keys.ts";
import { type EnsuredKeys, ensureRegionKeys } from "./region-keys.ts";
import { regionsSeen } from "./regions-seen.ts";
import { kmsEventText, onRegionChange, regionChangeText, takenPortText } from "./up-events.ts";
import { requireFreePort, startService } from "./service.ts";
import { ensureFirstToken, openTokens } from "./tokens.ts";
import { welcomePage } from "./up-page.ts";

/** Runs everything until the context's signal is aborted. Throws a CliError that says why it could not start. */
export async function runUp(context: CommandContext, config: Config, acceptRestore?: string): Promise<void> {
  const configured = (["regions", "next"] as const).find((name) => config.keys[name] !== undefined);
  if (configured !== undefined) {
    throw new CliError("usage", {
      detail: `keys.${configured} is configured, and \`up\` runs a KMS of its own.`,
      remedy:
        "Run strongroom serve: the service alone, with the configured regions. Or remove keys.regions and keys.next " +
        "from the configuration.",
    });
  }
  const { folder, tightened } = await prepareDataFolder(config.dataDir);
  if (tightened)
    context.terminal.say(`${folder.path} was open to other users of this machine; now it is yours alone (0700).`);
  const lock = lockDataFolder(folder.lock, folder.path);
  try {
    const log = openLogFile(folder.log);
    try {
      await runInstallation(context, config, { folder, log, acceptRestore });
    } finally {
      await log.close();
    }
  } finally {
    lock.release();
  }
}

interface InstallationParts {
  readonly folder: DataFolder;
  readonly log: RotatingLog;
  readonly acceptRestore: string | undefined;
}

async function runInstallation(
  context: CommandContext,
  config: Config,
  { folder, log, acceptRestore }: InstallationParts,
): Promise<void> {
  // Looked at before anything is started: a folder of a newer version is left as it is, and no key is made for a
  // service that cannot listen.
  const before = await readInstallationKeys(folder.keys);
  await requireFreePort(config);
  const logger = pino({ level: config.log.level, name: "service" }, logDestination(log.fd));
  if (context.terminal.stderr.isTTY)
    context.terminal.say(context.terminal.styleError("dim", "Starting the KMS and the service …"));
  const kms = await startKmsProcess({
    dataDir: folder.kms,
    // Node has no Unix sockets there.
    socketDir: process.platform === "win32" ? null : folder.kmsSockets,
    regions: config.kms.regions,
    rootKey: config.kms.rootKey,
    witness: config.kms.witness,
    auditDays: config.kms.auditDays,
    faultsPort: config.kms.allowFaults ? config.kms.faultsPort : null,
    logFd: log.fd,
    logLevel: config.log.level,
    signal: context.signal,
    onEvent: (event) => {
      logger.warn(event, "the KMS process");
      say(context, kmsEventText(event));
    },
  });
  try {
    for (const [region, why] of Object.entries(kms.notServing)) say(context, takenPortText(region, why, kms));
    const { minimum } = wrapPolicy(config, config.kms.regions.length);
    const names = config.kms.regions.map(({ name }) => name);
    const operator = await regionClients(names, kms, folder.kmsOperatorCredentials);
    const ensured = {
      records: await ensureRegionKeys(folder.keys, operator, { minimum }),
      keyStore: await ensureRegionKeys(folder.keys, operator, { purpose: "keyStore", minimum }),
    };
    for (const text of leftOutTexts(ensured)) say(context, text);
    const clients = await regionClients(names, kms, folder.kmsServiceCredentials);
    const installed = await readInstallationKeys(folder.keys);
    const next = nextKeySets(installed, { config, clients });
    const keySets: InstalledKeySets = {
      records: {
        current: localKeySet(config, withKeys(clients, ensured.records.keys)),
        next: next.records ?? null,
      },
      keys: { current: localKeySet(config, withKeys(clients, ensured.keyStore.keys)), next: next.keys ?? null },
    };
    const tokens = await openTokens(folder);
    await ensureFirstToken(folder, tokens);
    const service = await startService({
      config,
      folder,
      env: context.env,
      keySets,
      tokens,
      logger,
      unprepared: "make",
      acceptRestore,
      onAlarm: ({ code, message }) => {
        say(context, `AUDIT: ${message} [${code}]`);
      },
      moving: moveTo(moveOnTerminal(context.terminal), moveInLog(logger)),
      prepare: (gates) => putOwnInForce(gates, { context, config, ensured }),
    });
    if (service.unbuilt.length > 0) say(context, unbuiltText(service.unbuilt));
    if (hasKeys(before.records) && !hasKeys(before.keyStore)) say(context, gainedText(service.keyStore));
    const keyrings = [keySets.records, keySets.keys].flatMap((sets) => sets?.current.keyring ?? []);
    const stopPolling = onRegionChange(
      () => regionsSeen(keyrings),
      (change) => {
        say(context, regionChangeText(change));
      },
    );
    const following = followKeysFile({
      ...{ path: folder.keys, config, clients, operator, service, known: installed.next },
      say: (text) => {
        say(context, text);
      },
      onFault: (error) => {
        logger.error({ fault: error instanceof Error ? error.name : typeof error }, "keys.json could not be followed");
      },
    });
    try {
      await writeRunning(folder.running, {
        url: service.url,
        kms: kms.endpoints,
        kmsSockets: kms.sockets,
        kmsTlsFingerprint: kms.tlsFingerprint,
        faultsEndpoint: kms.faultsEndpoint,
      });
      const { url, store, keyStore, auditLog } = service;
      await announce(context, { config, folder, kms, ensured, url, store, keyStore, auditLog });
      for (const purpose of ["records", "keyStore"] as const)
        void sayMissingPermissions(context, withKeys(clients, ensured[purpose].keys), purpose);
      if (!context.signal.aborted) await once(context.signal, "abort");
      say(context, "Ending: requests under way are finished first.");
    } finally {
      stopPolling();
      await following.close();
      await service.close();
      await removeRunning(folder.running);
    }
  } finally {
    await kms.close();
  }
}

/** The keys of both purposes. */
type EnsuredOfBoth = Readonly<Record<KeyPurpose, EnsuredKeys>>;

const hasKeys = (keys: RegionKeys): boolean => Object.keys(keys).length > 0;

/** A region that has no key for one of the two is named once. */
function leftOutTexts({ records, keyStore }: EnsuredOfBoth): readonly string[] {
  return Object.entries({ ...keyStore.missing, ...records.missing }).map(
    ([region, why]) =>
      `Region ${region} has no key yet (${why}) and is LEFT OUT of this run; the next start takes it in.`,
  );
}

const unbuiltText = (unbuilt: readonly string[]): string =>
  `Not as declared, and not found by: ${unbuilt.map((name) => printable(name)).join(", ")}. strongroom collection apply builds it.`;

/** Said once: at the first start of this version on an installation of the one before. */
const gainedText = (keyStore: string): string =>
  `This installation has a key store now: ${keyStore}. New records hang on a key of the person they are about; what is ` +
  "stored stays as it is and is read as before. From now on a backup needs both stores: the records first, then the " +
  "keys (docs/upgrading.md).";

/** A key policy may leave the service out. Said beside the run: a region that is away takes its time. */
async function sayMissingPermissions(
  context: CommandContext,
  regions: readonly InstalledRegion[],
  purpose: KeyPurpose,
): Promise<void> {
  const { signal } = context;
  await Promise.all(
    regions.map(async ({ region, client, keyArn }) => {
      const { missing } = await missingPermissions({ client, keyArn, purpose, signal });
      for (const { action } of missing.filter(({ isOptional }) => !isOptional))
        say(context, `The service is NOT ALLOWED ${action} in ${region}: strongroom doctor says what to do.`);
    }),
  );
}

/**
 * Puts the keys of this folder in force where others are: a region was added, or has its key by now. In a file of this
 * folder nobody else writes. In a database that others may share, only keys that were this folder's too are left.
 */
async function putOwnInForce(gates: Gates, { context, config, ensured }: OwnKeys): Promise<void> {
  for (const role of ["records", "keys"] as const) {
    const { setting, label } = STORE_ROLES[role];
    const { state, inForce } = await gates[role].status();
    if (state !== "unknown") continue;
    const { keys } = ensured[role === "keys" ? "keyStore" : "records"];
    if (placeSettings(config, role).settings.url !== undefined && !isOfFolder(inForce, Object.values(keys))) {
      say(
        context,
        `The ${label.toLowerCase()} has another installation's keys in force: THIS ONE DOES NOT WRITE ` +
          `(key-set-unknown). Use a database or a schema of its own (${setting}.schema), or take it over: strongroom ` +
          "store flip.",
      );
      continue;
    }
    const { epoch } = await gates[role].flip();
    say(context, `The keys of this folder are in force in the ${label.toLowerCase()} now (epoch ${epoch}).`);
  }
}

interface OwnKeys {
  readonly context: CommandContext;
  readonly config: Config;
  readonly ensured: EnsuredOfBoth;
}

/** Regions at most whose combinations are tried. */
const MOST_COMBINED = 12;

/** Whether a digest is of some of these keys, as when one of their regions had none yet. */
function isOfFolder(digest: string | null, keys: readonly string[]): boolean {
  if (keys.length > MOST_COMBINED) return false;
  const combinations = Array.from({ length: 2 ** keys.length - 1 }, (_, index) =>
    keys.filter((__, bit) => ((index + 1) >> bit) % 2 === 1),
  );
  // A program that named no keys is an earlier version of this one.
  return digest === keySetDigest(null) || combinations.some((some) => keySetDigest(some) === digest);
}

interface Announced {
  readonly config: Config;
  readonly folder: DataFolder;
  readonly kms: KmsProcess;
  readonly ensured: EnsuredOfBoth;
  readonly url: string;
  /** Where the records lie, the keys, and the log of the audit. */
  readonly store: string;
  readonly keyStore: string;
  readonly auditLog: string;
}

async function announce(
  { terminal, cwd }: CommandContext,
  { config, folder, kms, ensured: { records, keyStore: ofPeople }, url, store, keyStore, auditLog }: Announced,
): Promise<void> {
  const data = {
    url,
    regions: kms.endpoints,
    regionSockets: kms.sockets,
    regionsNotServing: kms.notServing,
    regionsLeftOut: [...new Set([...Object.keys(records.missing), ...Object.keys(ofPeople.missing)])],
    keys: records.keys,
    keysMade: records.made,
    keyStoreKeys: ofPeople.keys,
    dataDir: folder.path,
    store,
    keyStore,
    auditLog,
    tokenFile: folder.token,
    faultsEndpoint: kms.faultsEndpoint,
    faultsHeaderFile: kms.faultsEndpoint === null ? null : folder.kmsControlHeader,
    pid: process.pid,
    kmsPid: kms.pid(),
  };
  const page = welcomePage(terminal, {
    url,
    endpoints: kms.endpoints,
    faultsEndpoint: kms.faultsEndpoint,
    folder,
    store: config.store.url === undefined ? null : store,
    cwd,
    policy: wrapPolicy(config, config.kms.regions.length),
    made: records.made,
  });
  terminal.result(data, () => page);
}

function say({ terminal }: CommandContext, text: string): void {
  terminal.say(`${terminal.styleError("dim", new Date().toTimeString().slice(0, 8))}  ${printable(text)}`);
}
