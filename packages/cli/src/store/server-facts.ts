// What a PostgreSQL server says of itself, of the connection to it and of the schema, by questions that change nothing
// and that any user may ask. Sizes are estimates of its own statistics: nothing is counted.
import type { Socket } from "node:net";
import { TLSSocket } from "node:tls";
import type { Client } from "pg";
import { shown } from "@strongroom/base/shown";

/** A table with what the server believes of it. */
export interface TableFacts {
  readonly name: string;
  /** Null: it has not looked yet. */
  readonly rows: number | null;
  /** With its indexes. */
  readonly bytes: number;
  /** What the user may not do with it, in SQL's words. */
  readonly denied: readonly string[];
}

/** What was found. */
export interface ServerFacts {
  /** `18.4`. */
  readonly version: string;
  /** `server_version_num`: 150018. */
  readonly versionNumber: number;
  /** `standby`: it follows another server. `read-only`: it was told to be. */
  readonly role: "primary" | "standby" | "read-only";
  /** `TLSv1.3`; null: no TLS. */
  readonly tls: string | null;
  /** Whether commits are on a disk before they are answered, and whether a standby has them too. */
  readonly durability: "off" | "local" | "standby";
  readonly fsync: boolean;
  /** Standbys that follow it; null: this user may not see them. */
  readonly standbys: number | null;
  readonly schema: {
    readonly exists: boolean;
    /** Whether the user may use it, and make tables in it. */
    readonly mayUse: boolean;
    readonly mayCreate: boolean;
    readonly tables: readonly TableFacts[];
    /** Functions that the user may not call. */
    readonly deniedFunctions: number;
  };
}

/** The least version that is supported. */
export const OLDEST_POSTGRES = { number: 150_000, name: "15" } as const;

/** Asks a connected client. */
export async function serverFacts(client: Client, schema: string): Promise<ServerFacts> {
  const [server] = (await client.query<ServerRow>(SERVER)).rows;
  if (server === undefined) throw new Error("the server said nothing of itself");
  const [found] = (await client.query<SchemaRow>(SCHEMA, [schema])).rows;
  const tables = found === undefined ? [] : (await client.query<TableRow>(TABLES, [schema, ...UNNEEDED])).rows;
  const replicas = (await client.query<{ standbys: number | null }>(STANDBYS)).rows[0]?.standbys ?? null;
  return {
    version: shown(server.version.split(" ")[0] ?? ""),
    versionNumber: server.number,
    role: server.recovery ? "standby" : server.read_only === "on" ? "read-only" : "primary",
    tls: tlsOf(client),
    durability: server.commit === "off" ? "off" : hasStandby(server) ? "standby" : "local",
    fsync: server.fsync !== "off",
    standbys: replicas,
    schema: {
      exists: found !== undefined,
      mayUse: found?.may_use ?? false,
      mayCreate: found?.may_create ?? server.may_create,
      deniedFunctions: found?.denied_functions ?? 0,
      tables: tables.map(({ name, rows, bytes, denied }) => ({
        name: shown(name),
        rows: Number(rows) < 0 ? null : Number(rows),
        bytes: Number(bytes),
        denied,
      })),
    },
  };
}

/** `local` does not wait for a standby, whatever standbys there are. */
function hasStandby({ commit, synchronous }: ServerRow): boolean {
  return synchronous !== "" && commit !== "local";
}

/** What was agreed on with whoever is at the other end of this connection: a pooler has another one to the server. */
function tlsOf(client: Client): string | null {
  const { connection } = client as unknown as { readonly connection: { readonly stream: Socket } };
  return connection.stream instanceof TLSSocket ? connection.stream.getProtocol() : null;
}

interface ServerRow {
  readonly version: string;
  readonly number: number;
  readonly recovery: boolean;
  readonly read_only: string;
  readonly commit: string;
  readonly synchronous: string;
  readonly fsync: string;
  readonly may_create: boolean;
}

const SERVER = `
  select current_setting('server_version') as version,
         current_setting('server_version_num')::int as number,
         pg_is_in_recovery() as recovery,
         current_setting('default_transaction_read_only') as read_only,
         current_setting('synchronous_commit') as commit,
         current_setting('synchronous_standby_names') as synchronous,
         current_setting('fsync') as fsync,
         has_database_privilege(current_database(), 'create') as may_create`;

interface SchemaRow {
  readonly may_use: boolean;
  readonly may_create: boolean;
  readonly denied_functions: number;
}

const SCHEMA = `
  select has_schema_privilege(n.oid, 'usage') as may_use, has_schema_privilege(n.oid, 'create') as may_create,
         (select count(*)::int from pg_proc p
          where p.pronamespace = n.oid and not has_function_privilege(p.oid, 'execute')) as denied_functions
  from pg_namespace n where n.nspname = $1`;

/** What no store does: its tables, and beside each the privilege. */
const UNNEEDED: readonly (readonly string[])[] = [
  ["vault", "vault", "migrations", "migrations", "migrations"],
  ["insert", "delete", "insert", "update", "delete"],
];

interface TableRow {
  readonly name: string;
  readonly rows: string;
  readonly bytes: string;
  readonly denied: readonly string[];
}

const TABLES = `
  select c.relname as name, c.reltuples::bigint::text as rows, pg_total_relation_size(c.oid)::text as bytes,
         array(select p from unnest(array['select', 'insert', 'update', 'delete']) as p
               where (c.relname, p) not in (select * from unnest($2::text[], $3::text[]))
                 and not case p when 'delete' then has_table_privilege(c.oid, p)
                                else has_any_column_privilege(c.oid, p) end) as denied
  from pg_class c join pg_namespace n on n.oid = c.relnamespace
  where n.nspname = $1 and c.relkind in ('r', 'p')
  order by pg_total_relation_size(c.oid) desc, c.relname
  limit 100`;

/** Without the role pg_monitor a user sees that there are standbys, and nothing of them. */
const STANDBYS = "select count(*)::int as standbys from pg_stat_replication";
