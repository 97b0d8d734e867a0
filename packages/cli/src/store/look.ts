// A look at the PostgreSQL database of an installation, which changes nothing: what the server says of itself, and how
// far its schema is. From it come the refusals of a start, `strongroom store status` and the doctor's findings.
import { shown } from "@strongroom/base/shown";
import { isVaultError, STORE_READER, STORE_WRITER, type VaultError, VAULT_ERRORS } from "@strongroom/vault";
import {
  inspectPostgres,
  inspectPostgresAudit,
  inspectPostgresKeys,
  type InspectedPostgres,
} from "@strongroom/vault/postgres";
import { placeText } from "../config/store-url.ts";
import { CLI_ERRORS, CliError } from "../errors.ts";
import { type PostgresAccess, storePool, withConnection } from "./connect.ts";
import { connectionFailed, isConnectionFailure, quoted } from "./failures.ts";
import { OLDEST_POSTGRES, serverFacts, type ServerFacts } from "./server-facts.ts";
import { aboutSettings, type ConfiguredPlace, type StoreRole } from "./which.ts";

/** What was found. */
export interface PostgresLook {
  readonly server: ServerFacts;
  readonly store: InspectedPostgres;
}

/** How the schema of each store is looked at. */
const INSPECTIONS: Readonly<Record<StoreRole, typeof inspectPostgres>> = {
  records: inspectPostgres,
  keys: inspectPostgresKeys,
  audit: inspectPostgresAudit,
};

/**
 * Looks. Throws the CliErrors of a connection that does not come to be, and `store-login-refused` for a user who may
 * not even look.
 */
export async function lookAt(access: PostgresAccess): Promise<PostgresLook> {
  const server = await withConnection(access, (client) => serverFacts(client, access.schema));
  const pool = storePool(access);
  try {
    return { server, store: await INSPECTIONS[access.role](pool, { schema: access.schema }) };
  } catch (cause) {
    const denied = deniedIn(server);
    if (isVaultError(cause)) throw denied.length > 0 ? userDenied(access, denied) : storeRefused(cause, access);
    throw isConnectionFailure(cause) ? connectionFailed(cause, access) : cause;
  } finally {
    await pool.end();
  }
}

/** What the store says of a database, with the server's own answer, which names what is missing. */
export function storeRefused(cause: VaultError, { place, setting }: ConfiguredPlace): CliError {
  const said = cause.cause instanceof Error ? ` (${shown(cause.cause.message)})` : "";
  const { title, remedy } = VAULT_ERRORS[cause.code];
  return new CliError("store-unfit", {
    title,
    detail: `${placeText(place)}: ${cause.message}${said}.`,
    remedy: aboutSettings(cause.code === "store-failed" ? CLI_ERRORS["store-unfit"].remedy : remedy, setting),
    reportedCode: cause.code,
    cause,
  });
}

/** `denied` is what {@link deniedIn} found. */
function userDenied({ place, schema }: PostgresAccess, denied: readonly string[]): CliError {
  return new CliError("store-login-refused", {
    title: "The database's user may not do what is needed",
    detail: `${placeText(place)}: in the schema ${schema}, the user ${place.user} lacks:`,
    problems: denied,
    remedy: `Let the schema's owner grant it: strongroom store migrate --grant-to ${shellWord(place.user)}.`,
  });
}

/** As a shell takes it for one word. */
function shellWord(text: string): string {
  return /^[\w.@-]+$/.test(text) && !text.startsWith("-") ? text : `'${text.replaceAll("'", "'\\''")}'`;
}

/** What keeps this program from using the database, the worst first; null: nothing does. */
export function unfitness(access: PostgresAccess, { server, store }: PostgresLook): CliError | null {
  const { place, schema, setting } = access;
  const where = placeText(place);
  if (server.versionNumber < OLDEST_POSTGRES.number)
    return new CliError("store-unfit", {
      detail: `${where}: PostgreSQL ${server.version}.`,
      remedy: `Use PostgreSQL ${OLDEST_POSTGRES.name} or later.`,
    });
  if (server.role !== "primary")
    return new CliError("store-unfit", {
      detail:
        server.role === "standby"
          ? `${where}: it is a standby, in recovery, and takes no writes.`
          : `${where}: default_transaction_read_only is on.`,
      remedy:
        server.role === "standby"
          ? `Name the primary in ${setting === "audit" ? "audit.store" : `${setting}.url`}. If this one is to take its place, promote it first: select pg_promote().`
          : "Switch it off for this user or database: alter role … set default_transaction_read_only = off.",
    });
  if (store.gate !== null && (store.gate.minReader > STORE_READER || store.gate.minWriter > STORE_WRITER))
    return new CliError("data-dir-newer", {
      title: VAULT_ERRORS["store-newer"].title,
      detail:
        `${where}: the schema ${schema} is for programs that read as ${store.gate.minReader} and write as ` +
        `${store.gate.minWriter}; this one reads as ${STORE_READER} and writes as ${STORE_WRITER}.`,
      remedy: VAULT_ERRORS["store-newer"].remedy,
      reportedCode: "store-newer",
    });
  const denied = deniedIn(server);
  if (denied.length > 0) return userDenied(access, denied);
  if (store.version === null)
    return new CliError("store-unprepared", { detail: `${where}: there are no tables in the schema ${schema} yet.` });
  if (store.pending.length > 0)
    return new CliError("store-unprepared", {
      detail: `${where}: the schema ${schema} lacks ${store.pending.join(", ")}.`,
    });
  if (store.differences.length > 0)
    return new CliError("store-unfit", {
      title: VAULT_ERRORS["store-altered"].title,
      detail: `${where}: the schema ${schema} is not the one that this version makes`,
      problems: store.differences,
      remedy: VAULT_ERRORS["store-altered"].remedy,
      outcome: "refused",
      reportedCode: "store-altered",
    });
  return null;
}

/** That a user may not make what is to be made; null: he may. */
export function makingDenied({ place, schema }: PostgresAccess, { server }: PostgresLook): CliError | null {
  const { exists, mayCreate } = server.schema;
  if (mayCreate) return null;
  const [user, database] = [quoted(place.user), quoted(place.database)];
  return new CliError("store-login-refused", {
    title: "The database's user may not do what is needed",
    detail:
      `${placeText(place)}: the user ${place.user} may not make ` +
      (exists ? `anything in the schema ${schema}.` : `the schema ${schema}.`),
    remedy: exists
      ? `Run it as the owner of the schema; then --grant-to lets ${place.user} use what was made.`
      : `Run it as the owner of the database, or let the user: grant create on database ${database} to ${user};`,
  });
}

/** What a user lacks in the schema, in words. */
export function deniedIn({ schema: { exists, mayUse, tables, deniedFunctions } }: ServerFacts): readonly string[] {
  if (exists && !mayUse) return ["usage of the schema"];
  return [
    ...tables.flatMap(({ name, denied }) => (denied.length === 0 ? [] : [`${denied.join(", ")} on ${name}`])),
    ...(deniedFunctions === 0 ? [] : [`execute on ${deniedFunctions} functions`]),
  ];
}
