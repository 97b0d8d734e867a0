// The keys of an installation for a command that opens the vault itself: over the regions of the configuration, over
// the KMS of the `strongroom up` that runs in the folder, or over one that is started for as long as the command lasts.
import type { Lock } from "@strongroom/base/locks";
import type { Config, RootKeySetting, WitnessSetting } from "../config/config.ts";
import { type DataFolder, lockDataFolder, openLogFile, readRunning } from "../data-folder.ts";
import { CliError } from "../errors.ts";
import type { InstalledKeySets } from "./key-sets.ts";
import { nextKeySets } from "./next-key-sets.ts";
import { startKmsProcess } from "./kms-process.ts";
import { localKeySet, type LocalKmsPlace, regionClients, withKeys } from "./local-kms.ts";
import { type InstallationKeys, readInstallationKeys } from "./installed-keys.ts";
import { configuredKeySets } from "./serve.ts";

/** The keys, and what was started for them. */
export interface CommandKeys {
  readonly keySets: InstalledKeySets;
  /** Where the KMS of the folder is reached; null: the regions are those of the configuration. */
  readonly place: LocalKmsPlace | null;
  close(): Promise<void>;
}

/** What they are opened with. */
export interface CommandKeyParts {
  readonly config: Config;
  readonly folder: DataFolder;
  readonly signal: AbortSignal;
  /** Of a KMS that is started. */
  readonly rootKey: RootKeySetting;
  readonly kmsWitness: WitnessSetting | undefined;
  readonly acceptRestore?: string;
}

/**
 * Opens them. Throws `config-invalid`, `data-dir-in-use`, `kms-not-started`, and what reading keys and credentials
 * does.
 */
export async function openCommandKeys(parts: CommandKeyParts): Promise<CommandKeys> {
  const { config, folder } = parts;
  if (config.keys.regions !== undefined)
    return { keySets: await configuredKeySets(config, folder), place: null, close: () => Promise.resolve() };
  const keys = await readInstallationKeys(folder.keys);
  if (Object.keys(keys.records).length === 0)
    throw new CliError("config-invalid", {
      detail: `No keys are known: keys.regions is not configured, and ${folder.keys} names none.`,
      remedy: "Give the configuration of the service (--config FILE), or the folder of strongroom up (--data-dir DIR).",
    });
  const lock = lockUnlessRunning(folder);
  if (lock !== null) return ofOwnKms(parts, keys, lock);
  const running = readRunning(folder.running);
  if (running === null)
    throw new CliError("data-dir-in-use", {
      detail: `${folder.path}: a strongroom up starts or ends there just now.`,
      remedy: "Run the command again when it serves, or has ended.",
    });
  const { kms: endpoints, kmsSockets: sockets, kmsTlsFingerprint: tlsFingerprint } = running;
  const place = { endpoints, sockets, tlsFingerprint };
  return { keySets: await keySetsAt(parts, keys, place), place, close: () => Promise.resolve() };
}

/** Null: a `strongroom up` has it. */
function lockUnlessRunning(folder: DataFolder): Lock | null {
  try {
    return lockDataFolder(folder.lock, folder.path);
  } catch (cause) {
    if (cause instanceof CliError && cause.code === "data-dir-in-use") return null;
    throw cause;
  }
}

async function ofOwnKms(parts: CommandKeyParts, keys: InstallationKeys, lock: Lock): Promise<CommandKeys> {
  const { config, folder, signal, rootKey, kmsWitness, acceptRestore } = parts;
  const ends: (() => Promise<void> | void)[] = [
    () => {
      lock.release();
    },
  ];
  const close = async (): Promise<void> => {
    for (const end of ends.splice(0).reverse()) await end();
  };
  try {
    const log = openLogFile(folder.log);
    ends.push(() => log.close());
    const kms = await startKmsProcess({
      dataDir: folder.kms,
      socketDir: process.platform === "win32" ? null : folder.kmsSockets,
      // Nobody else is to find it.
      regions: Object.keys(keys.records).map((name) => ({ name, port: 0 })),
      rootKey,
      witness: kmsWitness,
      auditDays: config.kms.auditDays,
      acceptRestore: kmsWitness === undefined ? undefined : acceptRestore,
      faultsPort: null,
      logFd: log.fd,
      logLevel: config.log.level,
      signal,
      onEvent: () => undefined,
    });
    ends.push(() => kms.close());
    return { keySets: await keySetsAt(parts, keys, kms), place: kms, close };
  } catch (cause) {
    await close();
    throw cause;
  }
}

async function keySetsAt(
  { config, folder }: CommandKeyParts,
  keys: InstallationKeys,
  place: LocalKmsPlace,
): Promise<InstalledKeySets> {
  const clients = await regionClients(Object.keys(place.endpoints), place, folder.kmsServiceCredentials);
  // While a rotation is under way some things lie under the one set alone and some under the other.
  const next = nextKeySets(keys, { config, clients });
  const records = { current: localKeySet(config, withKeys(clients, keys.records)), next: next.records ?? null };
  const ofPeople = withKeys(clients, keys.keyStore);
  const people = (): InstalledKeySets["keys"] => ({
    current: localKeySet(config, ofPeople, keys.generation),
    next: next.keys ?? null,
  });
  return { records, keys: ofPeople.length === 0 ? null : people() };
}
