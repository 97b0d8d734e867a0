// `strongroom store migrate`: brings a database to the schema of this version. Of PostgreSQL under a lock, one step
// after the other, beside services of the version before; of SQLite by moving an older version's file into the new one.
import { printable } from "@strongroom/base/terminal";
import { isVaultError } from "@strongroom/vault";
import { migratePostgres, migratePostgresAudit, migratePostgresKeys } from "@strongroom/vault/postgres";
import type { CommandContext } from "../command.ts";
import type { Config } from "../config/config.ts";
import { placeText } from "../config/store-url.ts";
import { dataFolder, lockDataFolder, prepareDataFolder } from "../data-folder.ts";
import { CliError } from "../errors.ts";
import { type PostgresAccess, postgresAccess, storePool } from "./connect.ts";
import { connectionFailed, isConnectionFailure } from "./failures.ts";
import { lookAt, makingDenied, storeRefused, unfitness } from "./look.ts";
import { moveOnTerminal } from "./moving.ts";
import { openStore } from "./open.ts";
import { requireBelonging } from "./pair.ts";
import { pendingText, sqliteState } from "./sqlite-state.ts";
import type { StoreRole } from "./which.ts";

/**
 * Says what is pending, and does it. Throws what keeps it from being done: the CliErrors of a connection,
 * `store-unfit`, `data-dir-newer`, `data-dir-in-use`.
 */
export async function migrateStore(context: CommandContext, config: Config, asked: AskedMigration): Promise<void> {
  const accesses = new Map(ROLES.map((role) => [role, postgresAccess(config, context.env, role)]));
  if (asked.grantTo !== undefined && [...accesses.values()].every((access) => access === null))
    throw new CliError("usage", { detail: "SQLite has no roles: --grant-to is of PostgreSQL." });
  await requireBelonging({ config, folder: dataFolder(config.dataDir), env: context.env });
  const one = (role: StoreRole): Promise<MigrationResult> =>
    migrateOne(role, accesses.get(role) ?? null, { context, config, asked });
  const [auditLog, keyStore, records] = [await one("audit"), await one("keys"), await one("records")];
  const { terminal } = context;
  terminal.result({ ...records, keyStore, auditLog }, () => [records, keyStore, auditLog].map(resultText).join("\n"));
}

/** The records last: a process of the new version needs all of them, and one of the version before only the records. */
const ROLES = ["audit", "keys", "records"] as const satisfies readonly StoreRole[];

interface Migrating {
  readonly context: CommandContext;
  readonly config: Config;
  readonly asked: AskedMigration;
}

async function migrateOne(
  role: StoreRole,
  access: PostgresAccess | null,
  { context, config, asked }: Migrating,
): Promise<MigrationResult> {
  return access === null ? migrateSqlite(role, context, config, asked.how) : migrateServer(context, access, asked);
}

/** What is asked for. */
export interface AskedMigration {
  readonly how: "say" | "do";
  /** A role that may use the schema from then on. */
  readonly grantTo: string | undefined;
}

/** What is said of a run: the steps that are pending, or those that were done. */
interface MigrationResult {
  readonly store: string;
  readonly pending: readonly string[];
  readonly done: readonly string[];
}

function resultText({ store, pending, done }: MigrationResult): string {
  if (done.length > 0) return `${store}:\n  done, ${done.length === 1 ? "1 step" : `${done.length} steps`}.`;
  if (pending.length === 0) return `${store}:\n  nothing to do.`;
  return [`${store}:`, "  this would be done, and was not:", ...pending.map((step) => `    ${step}`)].join("\n");
}

/** How the schema of each store is brought to this version's. */
const MIGRATIONS: Readonly<Record<StoreRole, typeof migratePostgres>> = {
  records: migratePostgres,
  keys: migratePostgresKeys,
  audit: migratePostgresAudit,
};

async function migrateServer(
  context: CommandContext,
  access: PostgresAccess,
  { how, grantTo }: AskedMigration,
): Promise<MigrationResult> {
  const look = await lookAt(access);
  const problem = unfitness(access, look);
  // What it is there to mend.
  if (problem !== null && problem.code !== "store-unprepared" && problem.code !== "store-login-refused") throw problem;
  const { version, pending } = look.store;
  const store = `PostgreSQL, ${placeText(access.place)}, schema ${access.schema}`;
  const steps = [
    ...(version === null && !look.server.schema.exists ? [`schema ${access.schema}`] : []),
    ...pending,
    ...(grantTo === undefined ? [] : [`grants to ${grantTo}`]),
  ];
  const denied = pending.length === 0 ? null : makingDenied(access, look);
  if (denied !== null) throw denied;
  if (how === "say" || steps.length === 0) return { store, pending: steps, done: [] };
  const pool = storePool(access);
  try {
    const onStep = (name: string): void => {
      context.terminal.say(`${new Date().toTimeString().slice(0, 8)}  ${printable(name)}`);
    };
    const granted = grantTo === undefined ? {} : { grantTo };
    const { signal } = context;
    const done = await MIGRATIONS[access.role](pool, { schema: access.schema, ...granted, onStep, signal });
    return { store, pending: [], done: grantTo === undefined ? done : [...done, `grants to ${grantTo}`] };
  } catch (cause) {
    throw migrationFailed(cause, access);
  } finally {
    await pool.end();
  }
}

/** What went wrong is in the cause: the server's own answer says which right, or which role, is missing. */
function migrationFailed(cause: unknown, place: PostgresAccess): unknown {
  if (!isVaultError(cause)) return isConnectionFailure(cause) ? connectionFailed(cause, place) : cause;
  if (cause.code === "aborted") return new CliError("interrupted", { cause });
  if (isConnectionFailure(cause.cause)) return connectionFailed(cause.cause, place);
  return storeRefused(cause, place);
}

async function migrateSqlite(
  role: StoreRole,
  context: CommandContext,
  config: Config,
  how: "say" | "do",
): Promise<MigrationResult> {
  const state = await sqliteState(config, role);
  const pending = pendingText(state, role);
  const store = `SQLite, ${state.path}`;
  if (how === "say" || pending.length === 0) return { store, pending, done: [] };
  const { folder } = await prepareDataFolder(config.dataDir);
  // An older version's `up` may run, which would lose its database under its feet.
  const lock = lockDataFolder(folder.lock, folder.path);
  try {
    const moving = moveOnTerminal(context.terminal);
    const opened = await openStore({ config, folder, env: context.env, moving }, role);
    await opened.close();
  } finally {
    lock.release();
  }
  return { store, pending: [], done: pending };
}
