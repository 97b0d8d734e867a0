// The service of an installation: store, keyring, vault, HTTP server, wired and listening. This is the only place that
// knows them all.
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { createServer as createProbe } from "node:net";
import { KMS_CHANNEL, type KmsEvent, type MultiRegionKeyring } from "@strongroom/envelope/aws-kms";
import { createServer, type FileTokens, type RegionCall, type Regions } from "@strongroom/server";
import { isVaultError, openVault, type RepairOptions, VAULT_ERRORS } from "@strongroom/vault";
import { sqliteStore } from "@strongroom/vault/sqlite";
import type { Logger } from "pino";
import { type Config, wrapPolicy } from "../config/config.ts";
import type { DataFolder } from "../data-folder.ts";
import { systemErrorCode, systemReason, type SystemReasons } from "@strongroom/base/files";
import { CliError } from "../errors.ts";
import { watchDisk } from "./disk-watch.ts";

/** A service that listens. */
export interface RunningService {
  readonly url: string;
  /** Lets requests and a repair under way finish, then closes the store. */
  close(): Promise<void>;
}

/** What a service is made of. */
export interface ServiceParts {
  readonly config: Config;
  readonly folder: DataFolder;
  readonly keyring: MultiRegionKeyring;
  readonly tokens: FileTokens;
  readonly logger: Logger;
}

/** Starts the service. Throws `data-dir-newer`, `startup-failed` or `port-in-use`; nothing stays open then. */
export async function startService({ config, folder, keyring, tokens, logger }: ServiceParts): Promise<RunningService> {
  const { host, port, hosts, ...limits } = config.service;
  if (existsSync(folder.vault) && !existsSync(folder.vaultMark))
    logger.warn("no mark tells whether the database is the newest state of the vault: it is taken as it is");
  const store = await sqliteStore(folder.vault, { mark: true, reserve: true }).catch(storeFailed);
  const repair = repairOptions(config, keyring, logger);
  const vault = await openVault({ store, keyring, ...(repair === null ? {} : { repair }) });
  const disk = await watchDisk(folder.path, folder.disk, logger);
  const server = await createServer({
    vault,
    tokens,
    regions: regionsOf(config, keyring),
    disk: () => disk.now(),
    logger,
    limits,
    hosts: [host, ...hosts],
  });
  try {
    const url = await server.listen({ host, port, backlog: BACKLOG });
    return {
      url,
      close: async () => {
        disk.close();
        await server.close();
        await vault.close();
      },
    };
  } catch (cause) {
    disk.close();
    await server.close();
    await vault.close();
    throw listenFailed(cause, host, port);
  }
}

/**
 * Connections that the system keeps until they are taken: one that finds no place is tried again after a second, three,
 * seven. The system may have a lower limit of its own.
 */
const BACKLOG = 4096;

/** Null when it is switched off. */
function repairOptions({ repair }: Config, keyring: MultiRegionKeyring, logger: Logger): RepairOptions | null {
  const { enabled, itemsPerSecond, atOnce, intervalMs, leaseMs } = repair;
  if (!enabled) return null;
  return {
    ...(itemsPerSecond === undefined ? {} : { itemsPerSecond }),
    ...(atOnce === undefined ? {} : { atOnce }),
    ...(intervalMs === undefined ? {} : { intervalMs }),
    ...(leaseMs === undefined ? {} : { leaseMs }),
    health: () => keyring.health(),
    // Class and code alone: a message may quote what was being handled.
    onFault: (error) => {
      logger.error(
        {
          fault: error instanceof Error ? error.name : typeof error,
          code: isVaultError(error) ? error.code : systemErrorCode(error),
        },
        "the repair of owed wraps ended a round",
      );
    },
  };
}

function regionsOf(config: Config, keyring: MultiRegionKeyring): Regions {
  return {
    minimum: wrapPolicy(config, keyring.health().length).minimum,
    health: () => keyring.health(),
    counters: () => keyring.counters(),
    probe: (options) => keyring.probe(options),
    onCall: (listener: (call: RegionCall) => void) => {
      // The channel is the process's; a service's process has one keyring.
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

function storeFailed(cause: unknown): never {
  if (!isVaultError(cause)) throw cause;
  const { title, remedy } = VAULT_ERRORS[cause.code];
  throw new CliError(cause.code === "store-newer" ? "data-dir-newer" : "startup-failed", {
    title,
    detail: cause.message,
    remedy,
    reportedCode: cause.code,
    cause,
  });
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
