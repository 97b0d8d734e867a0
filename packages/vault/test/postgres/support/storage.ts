/**
 * A vault's schema for each test, in one server for the file. `forge` is SQL of someone who minds no rule of the tables.
 */
import type { TestContext } from "node:test";
import { after } from "node:test";
import {
  migratePostgres,
  migratePostgresAudit,
  migratePostgresKeys,
  postgresAuditLog,
  postgresKeyStore,
  postgresStore,
} from "@strongroom/vault/postgres";
import type { PostgresStoreOptions } from "@strongroom/vault/postgres";
import type { ContractStorage } from "@strongroom/vault/store-contract";
import pg from "pg";
import { defer } from "../../../../../tests/support/defer.ts";
import { PostgresServer } from "../../../../../tests/support/postgres/server.ts";
import type { PostgresOptions } from "../../../../../tests/support/postgres/server.ts";
import type { AuditLog } from "../../../src/stores/audit-log.ts";
import type { KeyStore } from "../../../src/stores/key-store.ts";
import type { Store } from "../../../src/stores/store.ts";

/** One server of a file. */
export interface FileServer {
  readonly server: PostgresServer;
  readonly url: string;
  readonly pool: pg.Pool;
}

/** Starts a server for the tests of a file, and ends it after them. */
export async function fileServer(
  options: PostgresOptions & { readonly connections?: number } = {},
): Promise<FileServer> {
  const { connections = 20, ...rest } = options;
  const server = await PostgresServer.start(rest);
  const url = await server.createDatabase();
  const pool = poolOf(url, connections);
  after(async () => {
    await pool.end();
    await server[Symbol.asyncDispose]();
  });
  return { server, url, pool };
}

/** A pool that does not mind its connections being ended while they are idle. */
export function poolOf(connectionString: string, max = 10): pg.Pool {
  const pool = new pg.Pool({ connectionString, max });
  pool.on("error", () => undefined);
  return pool;
}

/** A store's schema of one test. */
export interface TestSchema<Opened = Store> {
  readonly schema: string;
  readonly pool: pg.Pool;
  readonly open: (options?: Partial<PostgresStoreOptions>) => Promise<Opened>;
  /** Runs statements on the schema; `s.` in them is its name. */
  readonly forge: (...statements: readonly string[]) => Promise<void>;
}

let schemas = 0;

/** A new schema of records, migrated, that is dropped after the test. */
export async function newSchema(t: TestContext, pool: pg.Pool): Promise<TestSchema> {
  return schemaOf(t, pool, { migrate: migratePostgres, open: postgresStore });
}

/** The same of keys. */
export async function newKeySchema(t: TestContext, pool: pg.Pool): Promise<TestSchema<KeyStore>> {
  return schemaOf(t, pool, { migrate: migratePostgresKeys, open: postgresKeyStore });
}

/** The same of an audit log. */
export async function newAuditSchema(t: TestContext, pool: pg.Pool): Promise<TestSchema<AuditLog>> {
  return schemaOf(t, pool, { migrate: migratePostgresAudit, open: postgresAuditLog });
}

async function schemaOf<Opened extends { close(): Promise<void> }>(
  t: TestContext,
  pool: pg.Pool,
  kind: {
    readonly migrate: typeof migratePostgres;
    readonly open: (pool: pg.Pool, options: Partial<PostgresStoreOptions>) => Promise<Opened>;
  },
): Promise<TestSchema<Opened>> {
  const schema = `store_${process.pid}_${++schemas}`;
  await kind.migrate(pool, { schema });
  const stores: Opened[] = [];
  defer(t, async () => {
    await Promise.all(stores.map((store) => store.close()));
    await pool.query(`drop schema ${schema} cascade`);
  });
  return {
    schema,
    pool,
    async open(options = {}) {
      const store = await kind.open(pool, { schema, ...options });
      stores.push(store);
      return store;
    },
    async forge(...statements) {
      for (const text of statements) await pool.query(text.replaceAll(/\bs\./g, `${schema}.`));
    },
  };
}

/** Time passes by moving the moments that are kept. */
const jobsPass = (ms: number): readonly string[] => [
  `update s.job_partitions set due_at = due_at - ${ms}, renewed_at = renewed_at - ${ms},
    taken_at = taken_at - ${ms}, saved_at = saved_at - ${ms}`,
];

const storePasses = (ms: number): readonly string[] => [
  ...jobsPass(ms),
  `update s.failures set due_at = due_at - ${ms}`,
  `update s.outbox set at = at - ${ms}`,
  `update s.streams set at = at - ${ms}`,
];

/** What no vault writes, in the entry that waits first. */
const DAMAGED_ENTRY = `update s.outbox set id = '00000000-0000-0000-0000-000000000000', number = -1,
  stream = 'ffffffff-ffff-ffff-ffff-ffffffffffff', tag = repeat('x', 100), mac = '', text = ''
  where position = (select min(position) from s.outbox)`;

/** In a log's first entry, and all its heads. */
const DAMAGED_LOG: readonly string[] = [
  `update s.entries set id = '00000000-0000-0000-0000-000000000000', at = 9223372036854775807, leaf = '', principal = '',
    action = repeat('x', 100000), collection = '' where position = 0`,
  "update s.heads set version = -1, state = 'master', entry = '00000000-0000-0000-0000-000000000000'",
];

/** Storage for the contract. */
export async function contractStorage(t: TestContext, pool: pg.Pool): Promise<ContractStorage> {
  const made = await newSchema(t, pool);
  return {
    open: () => made.open(),
    passTime: (ms) => made.forge(...storePasses(ms), `update s.settled set at = at - ${ms}`),
    damage: () => made.forge(DAMAGED_ENTRY),
    begin: () => begin(pool),
  };
}

/** Storage for the contract of key stores. */
export async function keyContractStorage(t: TestContext, pool: pg.Pool): Promise<ContractStorage<KeyStore>> {
  const made = await newKeySchema(t, pool);
  return {
    open: () => made.open(),
    passTime: (ms) => made.forge(...storePasses(ms)),
    damage: () => made.forge(DAMAGED_ENTRY),
  };
}

/** Storage for the contract of audit logs. */
export async function auditContractStorage(t: TestContext, pool: pg.Pool): Promise<ContractStorage<AuditLog>> {
  const made = await newAuditSchema(t, pool);
  return {
    open: () => made.open(),
    passTime: (ms) => made.forge(...jobsPass(ms)),
    damage: () => made.forge(...DAMAGED_LOG),
  };
}

/** A transaction of a caller's own. */
export interface CallersTransaction {
  readonly client: pg.PoolClient;
  readonly commit: () => Promise<void>;
  readonly rollback: () => Promise<void>;
}

export async function begin(pool: pg.Pool, level = "read committed"): Promise<CallersTransaction> {
  const client = await pool.connect();
  await client.query(`begin isolation level ${level}`);
  const end = async (how: string): Promise<void> => {
    try {
      await client.query(how);
    } finally {
      client.release();
    }
  };
  return { client, commit: () => end("commit"), rollback: () => end("rollback") };
}

/** The same, which does not outlive its test: ending it twice is ending it once. */
export async function beginIn(t: TestContext, pool: pg.Pool, level?: string): Promise<CallersTransaction> {
  const begun = await begin(pool, level);
  let isOver = false;
  const once = (end: () => Promise<void>) => async () => {
    if (isOver) return;
    isOver = true;
    await end();
  };
  const transaction = { ...begun, commit: once(begun.commit), rollback: once(begun.rollback) };
  defer(t, transaction.rollback);
  return transaction;
}
