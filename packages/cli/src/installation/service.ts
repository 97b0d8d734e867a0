// The service of an installation: store, keyring, vault, HTTP server, wired and listening. This is the only place that
// knows them all.
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { once } from "node:events";
import { createServer as createProbe } from "node:net";
import { KMS_CHANNEL, type KmsEvent, type MultiRegionKeyring } from "@strongroom/envelope/aws-kms";
import { createServer, type FileTokens, type RegionCall, type Regions } from "@strongroom/server";
import { isVaultError, openVault, type RepairOptions, type Vault } from "@strongroom/vault";
import type { Logger } from "pino";
import type { Config } from "../config/config.ts";
import type { DataFolder } from "../data-folder.ts";
import { systemErrorCode, systemReason, type SystemReasons } from "@strongroom/base/files";
import { CliError } from "../errors.ts";
import type { MoveListener } from "../store/moving.ts";
import { openStore } from "../store/open.ts";
import { watchDisk } from "./disk-watch.ts";
import { type InstalledKeySet, type KeySetWatch, watchKeySets } from "./key-sets.ts";

/** A service that listens. */
export interface RunningService {
  readonly url: string;
  /** Where the records lie, for a person. */
  readonly store: string;
  /** Lets requests and a repair under way finish, then closes the store. */
  close(): Promise<void>;
}

/** What a service is made of. */
export interface ServiceParts {
  readonly config: Config;
  readonly folder: DataFolder;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly keySets: { readonly current: InstalledKeySet; readonly next: InstalledKeySet | null };
  readonly tokens: FileTokens;
  readonly logger: Logger;
  /** What becomes of an empty database. */
  readonly unprepared: "make" | "refuse";
  /** Hears of the move of an older version's database, for who waits for the start. */
  readonly moving: MoveListener;
  /** What is done with the vault before it serves: `up` puts its own key set in force. */
  readonly prepare?: (vault: Vault) => Promise<void>;
}

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
): Promise<Pick<RunningService, "url" | "store">> {
  const { config, folder, keySets, tokens, logger } = parts;
  const { host, port, hosts, ...limits } = config.service;
  const { current, next } = keySets;
  const opened = await openStore(parts);
  ends.push(() => opened.close());
  let watch: KeySetWatch | null = null;
  const inForce = (): InstalledKeySet => watch?.inForce() ?? current;
  const repair = repairOptions(config, () => inForce().keyring, logger);
  const vault = await openVault({
    store: opened.store,
    keyring: current.keyring,
    keySet: current.keys,
    ...(next === null ? {} : { next: { keyring: next.keyring, keySet: next.keys } }),
    ...(repair === null ? {} : { repair }),
  });
  ends.push(() => vault.close());
  await parts.prepare?.(vault);
  watch = watchKeySets(vault, keySets, logger);
  ends.push(watch.close);
  const disk = await watchDisk(folder.path, folder.disk, logger);
  ends.push(() => {
    disk.close();
  });
  const server = await createServer({
    vault,
    tokens,
    regions: regionsOf(inForce),
    disk: () => disk.now(),
    logger,
    limits,
    hosts: [host, ...hosts],
  });
  ends.push(() => server.close());
  const url = await server.listen({ host, port, backlog: BACKLOG }).catch((cause: unknown) => {
    throw listenFailed(cause, host, port);
  });
  return { url, store: opened.description };
}

/**
 * Connections that the system keeps until they are taken: one that finds no place is tried again after a second, three,
 * seven. The system may have a lower limit of its own.
 */
const BACKLOG = 4096;

/** Null when it is switched off. */
function repairOptions({ repair }: Config, keyring: () => MultiRegionKeyring, logger: Logger): RepairOptions | null {
  const { enabled, itemsPerSecond, atOnce, intervalMs, leaseMs } = repair;
  if (!enabled) return null;
  return {
    ...(itemsPerSecond === undefined ? {} : { itemsPerSecond }),
    ...(atOnce === undefined ? {} : { atOnce }),
    ...(intervalMs === undefined ? {} : { intervalMs }),
    ...(leaseMs === undefined ? {} : { leaseMs }),
    health: () => keyring().health(),
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

function regionsOf(inForce: () => InstalledKeySet): Regions {
  return {
    get minimum() {
      return inForce().minimum;
    },
    health: () => inForce().keyring.health(),
    counters: () => inForce().keyring.counters(),
    probe: (options) => inForce().keyring.probe(options),
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
