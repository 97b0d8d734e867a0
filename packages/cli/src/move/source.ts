// The database of an application whose table moves. Threats: a password in an argument; a server that is not the one
// that is meant; a file of SQLite that is made because its name was misspelt.
import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { isVaultError, VAULT_ERRORS } from "@strongroom/vault";
import { type MoveDatabase, postgresDatabase, sqliteDatabase } from "@strongroom/vault/moving";
import type { CommandContext } from "../command.ts";
import { isOnThisMachine, readStoreUrl } from "../config/store-url.ts";
import { CliError } from "../errors.ts";
import { serverAccess, storePool } from "../store/connect.ts";
import { connectionFailed, isConnectionFailure } from "../store/failures.ts";

/** Which database it is, as it was typed. */
export interface SourceOptions {
  readonly from: string | undefined;
  readonly schema: string | undefined;
  readonly passwordFile: string | undefined;
  readonly caFile: string | undefined;
}

/** Connections to an application's PostgreSQL database: one for the work, one that keeps the hold, two to spare. */
const CONNECTIONS = 4;
/** How long SQLite waits for the application's own transactions, in milliseconds. */
const BUSY_MS = 10_000;

/** Does the work with the database, lets go of it, and tells what the move says. As {@link openedSource} throws. */
export async function withSource<Result>(
  options: SourceOptions,
  context: Pick<CommandContext, "env" | "cwd">,
  work: (database: MoveDatabase) => Promise<Result>,
): Promise<Result> {
  try {
    return await openedSource(options, context, work);
  } catch (cause) {
    if (!isVaultError(cause)) throw cause;
    const { title, remedy, outcome } = VAULT_ERRORS[cause.code];
    throw new CliError("move-incomplete", {
      title,
      detail: cause.message,
      remedy,
      outcome,
      reportedCode: cause.code,
      cause,
    });
  }
}

/**
 * Does the work with the database, and lets go of it.
 *
 * @throws CliError `usage`, `input-unreadable`, the `store-…` codes
 */
async function openedSource<Result>(
  options: SourceOptions,
  { env, cwd }: Pick<CommandContext, "env" | "cwd">,
  work: (database: MoveDatabase) => Promise<Result>,
): Promise<Result> {
  const { from, schema } = options;
  if (from === undefined)
    throw new CliError("usage", {
      detail: "Which database the table is in must be said: --from.",
      remedy: "--from postgres://USER@HOST/DATABASE, or --from sqlite:FILE.",
    });
  if (from.startsWith("sqlite:")) return inSqlite(resolve(cwd, from.slice("sqlite:".length)), options, work);
  const place = readStoreUrl(from);
  if ("problem" in place)
    throw new CliError("usage", {
      detail: `--from ${place.problem
        .replaceAll("store.passwordFile", "--password-file")
        .replaceAll("STRONGROOM_STORE", "STRONGROOM_SOURCE")
        .replace(/Left out.*$/, "Or sqlite:FILE")}`,
    });
  if (place.tls === "plain" && !isOnThisMachine(place))
    throw new CliError("usage", {
      detail:
        "--from asks for a connection without TLS to another machine, where whoever is on the way reads all of it.",
    });
  const login = { url: from, passwordFile: options.passwordFile, caFile: options.caFile };
  const access = serverAccess({ ...login, setting: "source", passwordVariable: "STRONGROOM_SOURCE_PASSWORD" }, env);
  const pool = storePool({ connection: access.connection, poolSize: CONNECTIONS });
  try {
    return await work(postgresDatabase(pool, { schema: schema ?? "public" }));
  } catch (cause) {
    throw isConnectionFailure(cause) ? connectionFailed(cause, access) : cause;
  } finally {
    await pool.end().catch(() => undefined);
  }
}

async function inSqlite<Result>(
  path: string,
  { schema, passwordFile, caFile }: SourceOptions,
  work: (database: MoveDatabase) => Promise<Result>,
): Promise<Result> {
  if (schema !== undefined || passwordFile !== undefined || caFile !== undefined)
    throw new CliError("usage", { detail: "--schema, --password-file and --ca-file are for PostgreSQL." });
  if (!existsSync(path)) throw new CliError("input-unreadable", { detail: `There is no file ${path}.` });
  const connection = new DatabaseSync(path, { timeout: BUSY_MS });
  try {
    return await work(sqliteDatabase(connection));
  } finally {
    connection.close();
  }
}
