// The service of an installation: stores, keyrings, vault, HTTP server, wired and listening. This is the only place
// that knows them all.
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { once } from "node:events";
import { createServer as createProbe } from "node:net";
import { KMS_CHANNEL, type KmsEvent, type RegionHealth } from "@strongroom/envelope/aws-kms";
import { createServer, type FileTokens, type RegionCall, type Regions } from "@strongroom/server";
import {
  type AuditLog,
  type AuditStatus,
  type Gate,
  isVaultError,
  type KeysOptions,
  openVault,
  type RepairOptions,
  VAULT_ERRORS,
  type Vault,
  type VaultOptions,
} from "@strongroom/vault";
import type { Logger } from "pino";
import type { Config } from "../config/config.ts";
import type { DataFolder } from "../data-folder.ts";
import { systemErrorCode, systemReason, type SystemReasons } from "@strongroom/base/files";
import { CliError } from "../errors.ts";
import type { MoveListener } from "../store/moving.ts";
import { type OpenedStore, openStore, storeFailed } from "../store/open.ts";
import { requireBelonging } from "../store/pair.ts";
import type { KeyedRole } from "../store/which.ts";
import { keepVerifierKey } from "./audit-key.ts";
import { keepRetention } from "./audit-retention.ts";
import { watchDisk } from "./disk-watch.ts";
import type { Gates } from "./audited-key-sets.ts";
import { FollowedKeySets, type NextKeySets } from "./followed-key-sets.ts";
import { watchKeyAges } from "./key-ages.ts";
import type { InstalledKeySet, InstalledKeySets } from "./key-sets.ts";
import { CRYPTOPERIOD_DAYS } from "./material-age.ts";
import { erasureOptions, ledgerCopies } from "./ledger-copy.ts";
import { countersOf, regionsSeen } from "./regions-seen.ts";
import { unbuiltIndexes } from "./unbuilt-indexes.ts";
import { openWitnesses } from "./witnesses.ts";

/** A service that listens. */
export interface RunningService {
  readonly url: string;
  /** Where the records lie, where the keys do, and where the audit's log does, for a person. */
  readonly store: string;
  readonly keyStore: string;
  readonly auditLog: string;
  /** Takes in the key sets that come next, without a restart. */
  learn(next: NextKeySets): Promise<void>;
  /** The keys in force in a store, as far as they are known. */
  inForce(role: KeyedRole): readonly string[];
  readonly convergence: Vault["convergence"];
  /** Indexes of collections with records that are not built, `COLLECTION/INDEX`. */
  readonly unbuilt: readonly string[];
  /** Lets requests and a repair under way finish, then closes the store. */
  close(): Promise<void>;
}

/** What a service is made of. */
export interface ServiceParts {
  readonly config: Config;
  readonly folder: DataFolder;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly keySets: InstalledKeySets;
  readonly tokens: FileTokens;
  readonly logger: Logger;
  /** What becomes of an empty database. */
  readonly unprepared: "make" | "refuse";
  /** Hears of the move of an older version's database, for who waits for the start. */
  readonly moving: MoveListener;
  /** Why stores that were set back are taken as they are, where somebody says so. */
  readonly acceptRestore?: string | undefined;
  /** Hears of what the audit finds wrong, beside the log. */
  readonly onAlarm?: (alarm: AuditAlarm) => void;
  /** What is done before the vault serves: `up` puts its own key sets in force. */
  readonly prepare?: (gates: Gates) => Promise<void>;
}

/** Something that the audit found wrong: a message for an operator, which tells of nobody. */
export type AuditAlarm = AuditStatus["alarms"][number];

/**
 * Starts the service. Throws what {@link openStore} does, `startup-failed` or `port-in-use`; nothing stays open then.
 */
export async function startService(parts: ServiceParts): Promise<RunningService> {
  // Ended in reverse: the requests under way first, the connections to the database last.
  const ends: (() => Promise<void> | void)[] = [];
  const close = async (): Promise<void> => {
    for (const end of ends.splice(0).reverse()) await end();
  };
  try {
    return { ...(await serve(parts, ends)), close };
  } catch (cause) {
    await close();
    throw cause;
  }
}

async function serve(
  parts: ServiceParts,
  ends: (() => Promise<void> | void)[],
): Promise<Omit<RunningService, "close">> {
  const { config, folder, keySets, tokens, logger } = parts;
  const { host, port, hosts, ...limits } = config.service;
  await requireBelonging(parts, parts.acceptRestore);
  const records = await openStore(parts, "records");
  ends.push(() => records.close());
  const keyStore = await openStore(parts, "keys");
  ends.push(() => keyStore.close());
  const auditLog = await openStore(parts, "audit");
  ends.push(() => auditLog.close());
  const followed = new FollowedKeySets({ records: records.store, keys: keyStore.store }, keySets, logger);
  const inForce = (role: KeyedRole): InstalledKeySet => followed.inForce(role);
  const vault = await openVault({
    store: records.store,
    ...asVaultKeys(keySets.records),
    keys: keysOptions(config, keySets, keyStore.store),
    collections: config.collections,
    roles: config.roles,
    audit: await auditOptions(parts, auditLog.store, records.store.gate),
    erasure: erasureOptions(config, ledgerCopies(config, (await records.store.gate.current()).vault, parts.env)),
    ...repairOptions(config, (role) => inForce(role).keyring.health(), logger),
  }).catch(vaultFailed);
  ends.push(() => vault.close());
  await keepAudit(parts, vault, ends);
  await parts.prepare?.(followed.presentGates(vault.audit));
  followed.follow(vault.audit);
  ends.push(() => {
    followed.close();
  });
  const keyAges = watchKeyAges({ inForce, period: config.keys.cryptoperiodDays ?? CRYPTOPERIOD_DAYS, logger });
  ends.push(keyAges.close);
  const disk = await watchDisk(folder.path, folder.disk, logger);
  ends.push(() => {
    disk.close();
  });
  const server = await createServer({
    vault,
    tokens,
    regions: regionsOf(() => [inForce("records"), inForce("keys")]),
    disk: () => disk.now(),
    keyAges: () => keyAges.ages(),
    logger,
    limits,
    hosts: [host, ...hosts],
  });
  ends.push(() => server.close());
  const url = await server.listen({ host, port, backlog: BACKLOG }).catch((cause: unknown) => {
    throw listenFailed(cause, host, port);
  });
  // It counts records, which nobody who asks the service has to wait for.
  const unbuilt = await unbuiltIndexes(vault, logger);
  return {
    ...{ url, store: records.description, keyStore: keyStore.description, auditLog: auditLog.description },
    learn: (next) => followed.learn(vault, next),
    inForce: (role) => inForce(role).keys,
    convergence: vault.convergence,
    unbuilt,
  };
}

async function auditOptions(
  { config, env, logger, acceptRestore, onAlarm }: ServiceParts,
  log: AuditLog,
  gate: Gate,
): Promise<NonNullable<VaultOptions["audit"]>> {
  const { principal, acceptTailMs } = config.audit;
  const { vault } = await gate.current();
  return {
    log,
    principal,
    witnesses: await openWitnesses(config, vault, env),
    ...(acceptRestore === undefined ? {} : { acceptRestore }),
    ...(acceptTailMs === 0 ? {} : { rollback: { acceptTail: acceptTailMs } }),
    onAlarm: (alarm) => {
      logger.error({ code: alarm.code, alarm: alarm.message }, "the audit found something wrong");
      onAlarm?.(alarm);
    },
    onFault: (error) => {
      logger.error(faultOf(error), "the sequencing of the audit ended a round");
    },
  };
}

/** What is done with the audit while it is open. */
async function keepAudit(
  { config, folder, logger }: ServiceParts,
  { audit }: Pick<Vault, "audit">,
  ends: (() => Promise<void> | void)[],
): Promise<void> {
  if (audit === null) return;
  await keepVerifierKey(folder.auditKey, (await audit.status()).key);
  const { retention: days } = config.audit;
  if (days === 0) return;
  const onFault = (error: unknown): void => {
    logger.error(faultOf(error), "the audit's old entries could not be forgotten now");
  };
  const kept = keepRetention({ audit, days, onFault });
  ends.push(() => kept.close());
}

/** Class and code alone: a message may quote what was being handled. */
function faultOf(error: unknown): { readonly fault: string; readonly code: string | null } {
  return {
    fault: error instanceof Error ? error.name : typeof error,
    code: isVaultError(error) ? error.code : systemErrorCode(error),
  };
}

/** How a vault is given the keys of records. */
type VaultKeys = Pick<VaultOptions, "keyring" | "keySet" | "next">;

/** A key set and the next one, as an option of the vault. */
export function asVaultKeys({ current, next }: InstalledKeySets["records"], role: KeyedRole = "records"): VaultKeys {
  const inGeneration = next === null || role === "records" ? {} : { generation: next.generation };
  return {
    keyring: current.keyring,
    keySet: current.keys,
    ...(next === null ? {} : { next: { keyring: next.keyring, keySet: next.keys, ...inGeneration } }),
  };
}

/** The keys of people, as an option of the vault. */
export function keysOptions(
  { keys: { scope, cacheAgeMs, cacheUses, cacheKeys } }: Config,
  { keys }: InstalledKeySets,
  store: OpenedStore<"keys">["store"],
): KeysOptions {
  return {
    store,
    scope,
    cache: {
      ...(cacheAgeMs === undefined ? {} : { maxAgeMs: cacheAgeMs }),
      ...(cacheUses === undefined ? {} : { maxUses: cacheUses }),
      ...(cacheKeys === undefined ? {} : { capacity: cacheKeys }),
    },
    ...(keys === null ? {} : { ...asVaultKeys(keys, "keys"), generation: keys.current.generation }),
  };
}

/** That stores do not belong together, or to these keys, or that a declaration is none, as an error of the command. */
export function vaultFailed(cause: unknown): never {
  if (isVaultError(cause) && cause.code === "vault-option-invalid")
    throw new CliError("config-invalid", { detail: cause.message, cause });
  if (isVaultError(cause) && cause.code === "key-not-configured")
    throw new CliError("startup-failed", {
      title: VAULT_ERRORS[cause.code].title,
      detail: cause.message,
      remedy:
        "Configure the keys that the stores were written under; or use a database or schemas of its own (store, " +
        "keyStore, audit.store).",
      reportedCode: cause.code,
      cause,
    });
  return storeFailed(cause);
}

/**
 * Connections that the system keeps until they are taken: one that finds no place is tried again after a second, three,
 * seven. The system may have a lower limit of its own.
 */
const BACKLOG = 4096;

/** Nothing when it is switched off. */
function repairOptions(
  { repair: { enabled, itemsPerSecond, atOnce, intervalMs, leaseMs } }: Config,
  health: (role: KeyedRole) => readonly RegionHealth[],
  logger: Logger,
): { readonly repair?: RepairOptions } {
  if (!enabled) return {};
  const repair: RepairOptions = {
    ...(itemsPerSecond === undefined ? {} : { itemsPerSecond }),
    ...(atOnce === undefined ? {} : { atOnce }),
    ...(intervalMs === undefined ? {} : { intervalMs }),
    ...(leaseMs === undefined ? {} : { leaseMs }),
    health: () => health("records"),
    keysHealth: () => health("keys"),
    onFault: (error) => {
      logger.error(faultOf(error), "the repair of owed wraps ended a round");
    },
  };
  return { repair };
}

function regionsOf(inForce: () => readonly InstalledKeySet[]): Regions {
  const keyrings = (): readonly InstalledKeySet["keyring"][] => [...new Set(inForce().map(({ keyring }) => keyring))];
  return {
    get minimum() {
      return inForce().reduce((most, { minimum }) => Math.max(most, minimum), 0);
    },
    health: () => regionsSeen(keyrings()),
    counters: () => countersOf(keyrings()),
    probe: async (options) => {
      await Promise.all(keyrings().map((keyring) => keyring.probe(options)));
      return regionsSeen(keyrings());
    },
    onCall: (listener: (call: RegionCall) => void) => {
      // The channel is the process's, and so are the keyrings of its key sets.
      const heard = (message: unknown): void => {
        const event = message as KmsEvent;
        if (event.kind === "call") listener(event);
      };
      subscribe(KMS_CHANNEL, heard);
      return () => {
        unsubscribe(KMS_CHANNEL, heard);
      };
    },
  };
}

/**
 * Whether the service will be able to listen, found out before keys and tokens are made for it. Throws `port-in-use` or
 * `startup-failed`.
 */
export async function requireFreePort({ service: { host, port } }: Config): Promise<void> {
  const probe = createProbe();
  try {
    probe.listen({ host, port });
    await once(probe, "listening");
  } catch (cause) {
    throw listenFailed(cause, host, port);
  }
  probe.close();
  await once(probe, "close");
}

const LISTEN_REASONS: SystemReasons = {
  EACCES: "ports below 1024 need the system's permission",
  EADDRNOTAVAIL: "this machine has no such address",
  ENOTFOUND: "there is no such host name",
};

function listenFailed(cause: unknown, host: string, port: number): CliError {
  if (systemErrorCode(cause) === "EADDRINUSE")
    return new CliError("port-in-use", {
      detail: `Something else listens on ${host}:${port}, where the service should.`,
      cause,
    });
  return new CliError("startup-failed", {
    detail: `The service cannot listen on ${host}:${port}: ${systemReason(cause, LISTEN_REASONS)}.`,
    remedy: "Choose another address or port: --host ADDRESS --port N.",
    cause,
  });
}
