// The key sets of an installation: the one that is configured, and the next one; which of them is in force, followed
// while a service runs; and which keys each of them names, without a KMS being called.
import type { MultiRegionKeyring } from "@strongroom/envelope/aws-kms";
import { isVaultError, type KeySetStatus, type Vault } from "@strongroom/vault";
import type { Logger } from "pino";
import { type Config, wrapPolicy } from "../config/config.ts";
import { type DataFolder, readRunning } from "../data-folder.ts";
import { installedKeyring, type InstalledRegion } from "./keyring.ts";
import { readRegionKeys } from "./region-keys.ts";

/** A key set with what wraps under it. */
export interface InstalledKeySet {
  readonly keyring: MultiRegionKeyring;
  /** ARNs. */
  readonly keys: readonly string[];
  /** Wraps that a write must have. */
  readonly minimum: number;
}

/** Makes the keyring of a set. Throws `config-invalid` with what the keyring says. */
export function installedKeySet(config: Config, regions: readonly InstalledRegion[]): InstalledKeySet {
  const { minimum } = wrapPolicy(config, regions.length);
  return { keyring: installedKeyring(config, regions), keys: regions.map(({ keyArn }) => keyArn), minimum };
}

/** The keys that a configuration names; null: it names no such set. */
export interface NamedKeySets {
  readonly current: readonly string[] | null;
  readonly next: readonly string[] | null;
}

/**
 * Which keys they are. Those of `strongroom up` are remembered in its folder. Throws what {@link readRegionKeys} does.
 */
export async function namedKeySets(config: Config, folder: DataFolder): Promise<NamedKeySets> {
  const remembered = await readRegionKeys(folder.keys);
  const named = (regions: readonly { readonly region: string; readonly keyArn?: string | undefined }[] | undefined) => {
    const keys = regions?.flatMap(({ region, keyArn = remembered[region] }) => (keyArn === undefined ? [] : [keyArn]));
    return keys === undefined || keys.length === 0 || keys.length < (regions?.length ?? 0) ? null : keys;
  };
  // Where `up` runs, its regions are those that it was started with, which no configuration need know.
  const running = readRunning(folder.running);
  const names = running === null ? config.kms.regions.map(({ name }) => name) : Object.keys(running.kms);
  const own = names.map((region) => ({ region }));
  return {
    current: named(config.keys.regions ?? own.filter(({ region }) => remembered[region] !== undefined)),
    next: named(config.keys.next),
  };
}

/** Milliseconds between two looks at the gate: one row is read. */
const LOOK_EVERY_MS = 5000;

/** Follows which key set is in force. */
export interface KeySetWatch {
  /** The set that writes go under; the configured one while none is in force, or one that is not known. */
  readonly inForce: () => InstalledKeySet;
  readonly close: () => void;
}

/** Follows it, and tells the log of every change. */
export function watchKeySets(
  vault: Pick<Vault, "keySet">,
  sets: { readonly current: InstalledKeySet; readonly next: InstalledKeySet | null },
  logger: Logger,
): KeySetWatch {
  let seen: Pick<KeySetStatus, "epoch" | "state"> | null = null;
  let closed = false;
  const look = async (): Promise<void> => {
    const status = await vault.keySet();
    if (closed || (seen?.epoch === status.epoch && seen.state === status.state)) return;
    tell(logger, status);
    seen = status;
  };
  const looking = setInterval(() => {
    // A store that does not answer is told of by whoever needs it.
    void look().catch(() => undefined);
  }, LOOK_EVERY_MS).unref();
  void look().catch((error: unknown) => {
    logger.warn({ code: isVaultError(error) ? error.code : null }, "which key set is in force cannot be asked now");
  });
  return {
    inForce: () => (seen?.state === "next" ? (sets.next ?? sets.current) : sets.current),
    close: () => {
      closed = true;
      clearInterval(looking);
    },
  };
}

function tell(logger: Logger, { epoch, state, inForce }: KeySetStatus): void {
  const fields = { epoch, digest: inForce?.slice(0, 12) ?? null };
  if (state === "unknown")
    logger.error(
      fields,
      "another key set is in force than this process is configured with: writes are refused (key-set-unknown), reads " +
        "go on. Configure the keys that the others have, or put these in force: strongroom store flip",
    );
  else if (state === "next") logger.info(fields, "the next key set (keys.next) is in force");
  else if (state === "current") logger.info(fields, "the configured key set is in force");
}
