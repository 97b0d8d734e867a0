/**
 * Where the three stores of a vault with an audit are, as it is told to a process of a test's own.
 */
import { join } from "node:path";
import type { TestContext } from "node:test";
import { openVault } from "@strongroom/vault";
import type { AuditLog, AuditOptions, Vault } from "@strongroom/vault";
import { postgresAuditLog } from "@strongroom/vault/postgres";
import { sqliteAuditLog } from "@strongroom/vault/sqlite";
import { startPostgres } from "../postgres/server.ts";
import { temporaryFolder } from "./folder.ts";
import { overlaid } from "../../../packages/vault/test/support/store-with.ts";
import { openKeyedVault, openStores, prepareKeyedTables } from "./keyed-place.ts";
import type { KeyedPlace } from "./keyed-place.ts";
import { keyringOf } from "./keys.ts";
import type { TestKey } from "./keys.ts";
import { poolOf } from "./place.ts";
import type { Place } from "./place.ts";

/** Three stores, which belong to one vault. */
export interface AuditedPlace extends KeyedPlace {
  readonly log: Place;
}

/** Three files of a folder of their own. */
export async function inFiles(t: TestContext): Promise<AuditedPlace> {
  const folder = await temporaryFolder(t);
  const at = (name: string) => ({ kind: "sqlite", path: join(folder, `${name}.sqlite`) }) as const;
  return { records: at("records"), keys: at("keys"), log: at("audit") };
}

/** A database of a server of its own. */
export async function onServer(t: TestContext): Promise<AuditedPlace> {
  const { url } = await startPostgres(t);
  const place = { kind: "postgres", url, connections: 4 } as const;
  return { records: place, keys: place, log: place };
}

/** Of one process, which carries entries to the log as soon as the one before it is dead. */
export interface OpenedAs extends Omit<AuditOptions, "log"> {
  /** Left out: for as long as the vault has it. In milliseconds. */
  readonly leaseMs?: number;
  /** It writes and reads, and another process carries what it wrote. */
  readonly sequences?: boolean;
}

export async function openLogPlace(place: Place): Promise<AuditLog> {
  if (place.kind === "sqlite") return sqliteAuditLog(place.path);
  return postgresAuditLog(poolOf(place), { endPool: true });
}

/** Closing the vault closes its stores. */
export async function openAuditedVault(
  place: AuditedPlace,
  key: TestKey,
  { leaseMs, sequences = true, ...audit }: OpenedAs = {},
): Promise<Vault> {
  const { store, keyStore } = await openStores(place);
  const log = await openLogPlace(place.log);
  try {
    return await openVault({
      store,
      keyring: keyringOf(key),
      keySet: [key.name],
      keys: { store: keyStore },
      audit: { log: withLease(log, sequences ? (leaseMs ?? null) : 0), ...audit },
    });
  } catch (error) {
    for (const opened of [log, keyStore, store]) await opened.close();
    throw error;
  }
}

/** Makes the tables where that is a step of its own. */
export async function prepareAuditedTables(place: AuditedPlace): Promise<void> {
  await prepareKeyedTables(place);
  if (place.log.kind === "postgres")
    await (await postgresAuditLog(poolOf(place.log), { migrate: true, endPool: true })).close();
}

/** The same, and joins the three stores. */
export async function prepareAuditedPlace(place: AuditedPlace, key: TestKey): Promise<void> {
  await prepareAuditedTables(place);
  await (await openKeyedVault(place, key)).close();
  await (await openAuditedVault(place, key)).close();
}

/**
 * The same log, whose lease lasts for so long: whoever waits for a dead process would wait for most of a test. 0: this
 * process never gets it.
 */
export function withLease(log: AuditLog, ms: number | null): AuditLog {
  if (ms === null) return log;
  const { jobs } = log;
  return overlaid(log, {
    jobs: overlaid(jobs, {
      lease: async (request) => (ms === 0 ? null : jobs.lease({ ...request, ms })),
      save: (lease, progress) => jobs.save(lease, progress, ms),
    }),
  });
}
