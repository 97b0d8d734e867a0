/**
 * The three stores of a trial, as a folder of SQLite files: opened for as long as it lasts, with a hand in each. A vault
 * is opened over them anew for each look.
 */
import { randomUUID } from "node:crypto";
import { cp } from "node:fs/promises";
import { join } from "node:path";
import { openVault } from "@strongroom/vault";
import type { AuditAlarm, AuditLog, KeyStore, Leased, Store, Vault, VaultOptions, Witness } from "@strongroom/vault";
import { sqliteAuditLog, sqliteKeyStore, sqliteStore } from "@strongroom/vault/sqlite";
import { sqliteHand } from "../swaps/hand.ts";
import type { Hand } from "../swaps/hand.ts";
import { COLLECTIONS } from "./world.ts";

/** The three stores. */
export const PLACES = ["records", "keys", "audit"] as const;
export type Place = (typeof PLACES)[number];

/** A vault of a trial, and what it told meanwhile. */
export interface Opened {
  readonly vault: Vault;
  readonly alarms: readonly AuditAlarm[];
  readonly faults: readonly unknown[];
  /** Moves its clock, so that what it does every few seconds is due. */
  readonly later: (ms: number) => void;
}

export type Hands = Readonly<Record<Place, Hand>>;

/** The stores of a vault, opened once. */
export interface Stores {
  readonly store: Store;
  readonly keyStore: KeyStore;
  readonly log: AuditLog;
  close(): Promise<void>;
}

/** The same, with hands in them. */
export interface Site extends Stores {
  readonly hands: Hands;
}

/** What vaults are opened with. */
export interface VaultMaker {
  readonly keyring: VaultOptions["keyring"];
  readonly repair?: VaultOptions["repair"];
  readonly witnesses?: readonly Witness[];
}

/** A vault over a site's stores, which stay open when it is closed. @throws VaultError as openVault */
export async function vaultOver(
  { store, keyStore, log }: Omit<Stores, "close">,
  { keyring, repair, witnesses = [] }: VaultMaker,
): Promise<Opened> {
  const alarms: AuditAlarm[] = [];
  const faults: unknown[] = [];
  let ahead = 0;
  const vault = await openVault({
    store: keptOpen(store),
    keyring,
    keys: { store: keptOpen(keyStore) },
    collections: COLLECTIONS,
    audit: {
      log: keptOpen(log),
      witnesses,
      onAlarm: (alarm) => alarms.push(alarm),
      onFault: (error) => faults.push(error),
    },
    clock: () => new Date(Date.now() + ahead),
    ...(repair === undefined ? {} : { repair }),
  });
  return {
    vault,
    alarms,
    faults,
    later: (ms) => {
      ahead += ms;
    },
  };
}

/** A copy of a folder, opened. @param leaveAlone tables that the hands neither see nor put back */
export async function sqliteSite(from: string, to: string, leaveAlone: RegExp): Promise<Site> {
  await cp(from, to, { recursive: true });
  const stores = await openFiles(to);
  const hands = handsIn(to, leaveAlone);
  return {
    ...stores,
    hands,
    close: async () => {
      await stores.close();
      await closeAll(hands);
    },
  };
}

/** Hands in the files of a folder. */
export function handsIn(folder: string, leaveAlone: RegExp): Hands {
  const hand = (place: Place): Hand => sqliteHand(pathOf(folder, place), leaveAlone);
  return { records: hand("records"), keys: hand("keys"), audit: hand("audit") };
}

export async function closeAll(hands: Hands): Promise<void> {
  for (const place of PLACES) await hands[place].close();
}

/** Everything as the hands first saw it. */
export async function putBack(hands: Hands): Promise<void> {
  for (const place of PLACES) await hands[place].restore();
}

/** The stores of a folder. */
export async function openFiles(folder: string): Promise<Stores> {
  const store = await sqliteStore(pathOf(folder, "records"));
  const keyStore = await sqliteKeyStore(pathOf(folder, "keys"));
  const log = await sqliteAuditLog(pathOf(folder, "audit"));
  return {
    store,
    keyStore,
    log,
    close: async () => {
      for (const one of [store, keyStore, log]) await one.close();
    },
  };
}

export const pathOf = (folder: string, place: Place): string => join(folder, `${place}.sqlite`);

/** The job of whoever carries entries to the log. */
const SEQUENCE_JOB = "audit-sequence";

/** Keeps everybody else from carrying entries to the log, until it is given back. */
export async function holdSequencer({ jobs }: Pick<AuditLog, "jobs">): Promise<() => Promise<void>> {
  await jobs.add(SEQUENCE_JOB, ["all"]);
  const holder = `trial/${randomUUID()}`;
  const lease: Leased | null = await jobs.lease({ job: SEQUENCE_JOB, holder, ms: 3_600_000 });
  if (lease === null) throw new Error("another process carries entries");
  return async () => {
    await jobs.finish(lease, { cursor: lease.cursor, done: 0, failed: 0, problem: null }, 0);
  };
}

/** The store, for one vault after the other. */
function keptOpen<Kept extends Store | KeyStore | AuditLog>(store: Kept): Kept {
  const close = async (): Promise<void> => undefined;
  return new Proxy(store, {
    get: (target, name) => {
      if (name === "close") return close;
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === "function" ? (value.bind(target) as unknown) : value;
    },
  });
}
