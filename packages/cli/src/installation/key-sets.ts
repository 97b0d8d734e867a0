// The key sets of an installation: the one that is configured, and the next one; which of them is in force, followed
// while a service runs; and which keys each of them names, without a KMS being called.
import type { MultiRegionKeyring } from "@strongroom/envelope/aws-kms";
import { type GateKeySets, isVaultError, type KeySetNames, type KeySetStatus } from "@strongroom/vault";
import type { Logger } from "pino";
import { type Config, type WrappingRegion, wrapPolicy } from "../config/config.ts";
import { type DataFolder, readRunning } from "../data-folder.ts";
import type { KeyedRole } from "../store/which.ts";
import { installedKeyring, type InstalledRegion } from "./keyring.ts";
import {
  FIRST_GENERATION,
  type InstallationKeys,
  isOtherKeys,
  type KeyPurpose,
  readInstallationKeys,
} from "./installed-keys.ts";

/** A key set with what wraps under it. */
export interface InstalledKeySet {
  readonly keyring: MultiRegionKeyring;
  /** ARNs. */
  readonly keys: readonly string[];
  /** Wraps that a write must have. */
  readonly minimum: number;
  readonly regions: readonly InstalledRegion[];
  /** Shredding generation, of a set of the key store. */
  readonly generation: number;
}

/** Makes the keyring of a set. Throws `config-invalid` with what the keyring says. */
export function installedKeySet(
  config: Config,
  regions: readonly InstalledRegion[],
  generation: number = FIRST_GENERATION,
): InstalledKeySet {
  const { minimum } = wrapPolicy(config, regions.length);
  const keys = regions.map(({ keyArn }) => keyArn);
  return { keyring: installedKeyring(config, regions), keys, minimum, regions, generation };
}

/** The keys that a configuration names; null: it names no such set. */
export interface NamedKeySets {
  readonly current: readonly string[] | null;
  readonly next: readonly string[] | null;
  /** Shredding generations of the two; of records, 1. */
  readonly generation: number;
  readonly nextGeneration: number;
}

/** A region as a configuration has it, or as `up` made it. */
type NamedRegion = Partial<WrappingRegion> & Pick<WrappingRegion, "region">;

/**
 * Which keys wrap in a store. Those of `strongroom up` are remembered in its folder. Throws what
 * {@link readInstallationKeys} does.
 */
export async function namedKeySets(config: Config, folder: DataFolder, role: KeyedRole): Promise<NamedKeySets> {
  const remembered = await readInstallationKeys(folder.keys);
  const named = (regions: readonly NamedRegion[] | undefined): readonly string[] | null => {
    const purpose = role === "keys" && hasOwnKeys(regions ?? [], remembered) ? "keyStore" : "records";
    const keys = regions?.flatMap((region) => keyOf(region, purpose, remembered) ?? []);
    return keys === undefined || keys.length === 0 || keys.length < (regions?.length ?? 0) ? null : keys;
  };
  // Where `up` runs, its regions are those that it was started with, which no configuration need know.
  const running = readRunning(folder.running);
  const names = running === null ? config.kms.regions.map(({ name }) => name) : Object.keys(running.kms);
  const own = names.map((region): NamedRegion => ({ region }));
  const purpose = role === "keys" ? "keyStore" : "records";
  const generations = role === "keys" ? generationsOf(config, remembered) : FIRST_GENERATIONS;
  return {
    ...generations,
    current: named(config.keys.regions ?? own.filter(({ region }) => remembered[purpose][region] !== undefined)),
    next: config.keys.regions === undefined ? nextArns(remembered, purpose) : named(config.keys.next),
  };
}

const FIRST_GENERATIONS = { generation: FIRST_GENERATION, nextGeneration: FIRST_GENERATION };

/** Shredding generations of the key store's sets: as configured, or as `strongroom up` remembers them. */
export function generationsOf(
  { keys }: Config,
  remembered: InstallationKeys,
): Pick<InstallationKeys, "generation" | "nextGeneration"> {
  if (keys.regions === undefined) return remembered;
  const generation = keys.generation ?? remembered.generation;
  return { generation, nextGeneration: keys.nextGeneration ?? generation };
}

/** Of an installation that makes its own keys; null: those of this purpose stay. */
function nextArns(remembered: InstallationKeys, purpose: KeyPurpose): readonly string[] | null {
  const next = remembered.next?.[purpose] ?? {};
  return isOtherKeys(next, remembered[purpose]) ? Object.values(next) : null;
}

/** The key of a region: the configured one, else the one that is remembered. */
export function keyOf(region: NamedRegion, purpose: KeyPurpose, remembered: InstallationKeys): string | undefined {
  const configured = purpose === "records" ? region.keyArn : region.keyStoreKeyArn;
  return configured ?? remembered[purpose][region.region];
}

/**
 * Whether the keys of people have wrapping keys of their own, in every region: generation 1. In some regions alone is
 * refused where the configuration is loaded.
 */
export function hasOwnKeys(regions: readonly NamedRegion[], remembered: InstallationKeys): boolean {
  return regions.length > 0 && regions.every((region) => keyOf(region, "keyStore", remembered) !== undefined);
}

/** Milliseconds between two looks at the gate: one row is read. */
const LOOK_EVERY_MS = 5000;

/** The sets of a store that this process knows. */
export interface KnownKeySets {
  readonly current: InstalledKeySet;
  readonly next: InstalledKeySet | null;
}

/** The sets of both stores. */
export interface InstalledKeySets {
  readonly records: KnownKeySets;
  /** Null: the keys of records wrap those of people too. They are generation 0, which is never shredded. */
  readonly keys: KnownKeySets | null;
}

/** Names of the wrapping keys of a store. */
export function keySetNames({ records, keys }: InstalledKeySets, role: KeyedRole): KeySetNames {
  const { current, next } = role === "keys" && keys !== null ? keys : records;
  const { generation } = current;
  const following = next === null ? {} : { next: next.keys, nextGeneration: next.generation };
  return { keySet: current.keys, generation, ...following };
}

/** Follows which key set is in force. */
export interface KeySetWatch {
  /** The set that writes go under; the configured one while none is in force, or one that is not known. */
  readonly inForce: () => InstalledKeySet;
  readonly close: () => void;
}

/** Follows it in a store, and tells the log of every change. */
export function watchKeySets(gate: Pick<GateKeySets, "status">, sets: KnownKeySets, logger: Logger): KeySetWatch {
  let seen: Pick<KeySetStatus, "epoch" | "state"> | null = null;
  let closed = false;
  const look = async (): Promise<void> => {
    const status = await gate.status();
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
