// `strongroom store status`: where the records, the keys and the audit lie and how that is, for a person and for
// programs. It looks, and changes nothing.
import { STORE_READER, STORE_WRITER } from "@strongroom/vault";
import { type Terminal, wrapped } from "@strongroom/base/terminal";
import type { Config } from "../config/config.ts";
import { placeText, storePlace } from "../config/store-url.ts";
import type { DataFolder } from "../data-folder.ts";
import { CliError } from "../errors.ts";
import { namedKeySets } from "../installation/key-sets.ts";
import { type PostgresAccess, postgresAccess } from "./connect.ts";
import { type KeySetState, keySetState, keySetText } from "./key-set-state.ts";
import { lookAt, type PostgresLook, unfitness } from "./look.ts";
import type { StoreParts } from "./open.ts";
import { seenStores } from "./pair.ts";
import type { PairProblem } from "./seen-gate.ts";
import type { ServerFacts } from "./server-facts.ts";
import { pendingText, sqliteFiles, sqliteState } from "./sqlite-state.ts";
import { placeSettings, STORE_ROLES, type StoreRole } from "./which.ts";

/** The result, as JSON: the store of the records, and within it the other ones. */
export interface StoreStatus extends DatabaseStatus {
  readonly keyStore: DatabaseStatus;
  readonly auditLog: DatabaseStatus;
  /** What keeps them from being used together; null: nothing does, as far as they could be looked at. */
  readonly pair: PairProblem | null;
}

/** What a look shows. */
export interface StoreLook {
  readonly status: StoreStatus;
  /** Why one of them could not be looked at: it has no more than a place and a problem. */
  readonly failed: CliError | null;
}

/** One of them. */
export interface DatabaseStatus {
  readonly kind: "sqlite" | "postgres";
  /** A path, or USER@HOST:PORT/DATABASE. */
  readonly place: string;
  readonly schema: {
    /** Of PostgreSQL, its name. */
    readonly name: string | null;
    /** Null: there is none yet. */
    readonly version: number | null;
    /** What this program makes of it; null: it could not be looked at. */
    readonly latest: number | null;
    readonly pending: readonly string[];
  };
  /** Which programs may use it; null: there is no schema yet. */
  readonly programs: {
    readonly minReader: number;
    readonly minWriter: number;
    readonly reader: number;
    readonly writer: number;
  } | null;
  /** Null: there is no schema yet; of the audit's log, which has none. */
  readonly keySet: KeySetState | null;
  /** Estimated; null: not known. */
  readonly size: { readonly bytes: number | null; readonly versions: number | null };
  /** Of PostgreSQL. */
  readonly server: Omit<ServerFacts, "schema"> | null;
  /** Of PostgreSQL: whether a pooler is between, and whether statements are named. */
  readonly statements: { readonly pooler: boolean; readonly named: boolean } | null;
  /** What keeps this program from using it; null: nothing does. */
  readonly problem: { readonly code: string; readonly detail: string; readonly remedy: string } | null;
}

/** Looks. Throws, where neither records nor keys could be looked at, the CliError of the connection to the records. */
export async function storeStatus(
  config: Config,
  folder: DataFolder,
  env: Readonly<Record<string, string | undefined>>,
): Promise<StoreLook> {
  const parts: StoreParts = { config, folder, env };
  const records = await looked(parts, "records");
  const keys = await looked(parts, "keys");
  const audit = await looked(parts, "audit");
  if (records.failed !== null && keys.failed !== null) throw records.failed;
  const failed = records.failed ?? keys.failed ?? audit.failed;
  const pair = failed === null ? (await seenStores(parts)).problem : null;
  return { status: { ...records.status, keyStore: keys.status, auditLog: audit.status, pair }, failed };
}

interface Looked {
  readonly status: DatabaseStatus;
  readonly failed: CliError | null;
}

async function looked({ config, folder, env }: StoreParts, role: StoreRole): Promise<Looked> {
  try {
    const access = postgresAccess(config, env, role);
    const sets = role === "audit" ? null : await namedKeySets(config, folder, role);
    const status =
      access === null ? await sqliteStatus(config, role, sets) : postgresStatus(access, await lookAt(access), sets);
    return { status, failed: null };
  } catch (error) {
    if (!(error instanceof CliError)) throw error;
    return { status: unlookedStatus(config, role, error), failed: error };
  }
}

function unlookedStatus(config: Config, role: StoreRole, error: CliError): DatabaseStatus {
  const { settings } = placeSettings(config, role);
  return {
    kind: settings.url === undefined ? "sqlite" : "postgres",
    place: settings.url === undefined ? sqliteFiles(config, role).path : placeText(storePlace(settings.url)),
    schema: { name: settings.url === undefined ? null : settings.schema, version: null, latest: null, pending: [] },
    programs: null,
    keySet: null,
    size: { bytes: null, versions: null },
    server: null,
    statements: null,
    problem: problemOf(error),
  };
}

function problemOf(error: CliError): NonNullable<DatabaseStatus["problem"]> {
  return { code: error.reportedCode, detail: problemText(error), remedy: error.remedy };
}

/** The table that tells how much there is: versions of records, and of keys; entries. */
const COUNTED_TABLE: Readonly<Record<StoreRole, string>> = { records: "versions", keys: "keys", audit: "entries" };

/** Null: none is in force in the store. */
type KeySets = Awaited<ReturnType<typeof namedKeySets>> | null;

function postgresStatus(access: PostgresAccess, look: PostgresLook, sets: KeySets): DatabaseStatus {
  const { server, store } = look;
  const { schema, ...facts } = server;
  const problem = unfitness(access, look);
  return {
    kind: "postgres",
    place: placeText(access.place),
    schema: { name: access.schema, version: store.version, latest: store.latest, pending: store.pending },
    programs: programsOf(store.gate),
    keySet: store.gate === null || sets === null ? null : keySetState(store.gate, sets),
    size: {
      bytes: schema.tables.reduce((sum, { bytes }) => sum + bytes, 0),
      versions: schema.tables.find(({ name }) => name === COUNTED_TABLE[access.role])?.rows ?? null,
    },
    server: facts,
    statements: { pooler: store.pooler, named: store.namedStatements },
    problem: problem === null ? null : problemOf(problem),
  };
}

/** With each of what is wrong, on one line. */
function problemText({ detail, title, problems }: CliError): string {
  return [detail ?? title, problems.join("; ")].filter((part) => part !== "").join(" ");
}

async function sqliteStatus(config: Config, role: StoreRole, sets: KeySets): Promise<DatabaseStatus> {
  const found = await sqliteState(config, role);
  const { path, gate, version, latest, bytes, problem } = found;
  return {
    kind: "sqlite",
    place: path,
    schema: { name: null, version, latest, pending: pendingText(found, role) },
    programs: programsOf(gate),
    keySet: gate === null || sets === null ? null : keySetState(gate, sets),
    size: { bytes, versions: null },
    server: null,
    statements: null,
    problem,
  };
}

function programsOf(gate: PostgresLook["store"]["gate"]): DatabaseStatus["programs"] {
  if (gate === null) return null;
  const { minReader, minWriter } = gate;
  return { minReader, minWriter, reader: STORE_READER, writer: STORE_WRITER };
}

/** For a person: a block for each store. */
export function statusView(status: StoreStatus, terminal: Terminal): string {
  const { keyStore, auditLog, pair } = status;
  return [
    databaseView("records", status, terminal),
    databaseView("keys", keyStore, terminal),
    databaseView("audit", auditLog, terminal),
    ...(pair === null ? [] : [rowsView(problemRows(pair), terminal)]),
  ].join("\n\n");
}

/** One line for each matter. */
function databaseView(role: StoreRole, status: DatabaseStatus, terminal: Terminal): string {
  const rows: Rows = [
    [STORE_ROLES[role].label, `${status.kind === "sqlite" ? "SQLite" : "PostgreSQL"}  ${status.place}`],
    ...serverRows(status),
    ["Schema", schemaText(status)],
    ["Programs", programsText(status)],
    ...(role === "audit" ? [] : keySetRows(status)),
    ["Size", sizeText(status, COUNTED_TABLE[role])],
    ...(status.problem === null ? [] : problemRows(status.problem)),
  ];
  return rowsView(rows, terminal);
}

type Rows = readonly (readonly [string, string])[];

function problemRows({ code, detail, remedy }: NonNullable<DatabaseStatus["problem"]>): Rows {
  return [
    ["Problem", `${detail} [${code}]`],
    ["", remedy],
  ];
}

function rowsView(rows: Rows, terminal: Terminal): string {
  return rows.map(([label, text]) => wrapped(`${label.padEnd(13)}${text}`, terminal.width, 13)).join("\n");
}

function serverRows({ server, statements }: DatabaseStatus): readonly (readonly [string, string])[] {
  if (server === null || statements === null) return [];
  return [
    ["Server", `PostgreSQL ${server.version}, ${server.role}`],
    ["Connection", server.tls === null ? "without TLS, on this machine" : `${server.tls}, the server is proven`],
    ["Statements", statementsText(statements)],
    ["Replication", replicationText(server)],
  ];
}

/** How statements are sent, and why. */
export function statementsText({ pooler, named }: { readonly pooler: boolean; readonly named: boolean }): string {
  if (!pooler) return named ? "named: no pooler is between" : "not named, though no pooler is between";
  return named ? "named, behind a pooler that keeps them" : "not named: a pooler is between that may not keep them";
}

/** How far a commit is before it is answered. */
export function replicationText({ durability, standbys, fsync }: NonNullable<DatabaseStatus["server"]>): string {
  const following =
    standbys === null || standbys === 0
      ? "no standby follows"
      : standbys === 1
        ? "1 standby follows"
        : `${standbys} standbys follow`;
  if (!fsync || durability === "off") return `commits are answered before they are on a disk; ${following}`;
  return durability === "standby" ? `synchronous; ${following}` : `asynchronous; ${following}`;
}

function schemaText({ schema: { name, version, latest, pending } }: DatabaseStatus): string {
  if (latest === null) return "-";
  const called = name === null ? "" : `${name}, `;
  const is = version === null ? "not made yet" : `version ${version}, this program's is ${latest}`;
  const rest = pending.length === 0 ? "nothing to migrate" : `to migrate: ${pending.join(", ")}`;
  return `${called}${is}; ${rest}`;
}

function programsText({ programs }: DatabaseStatus): string {
  if (programs === null) return "-";
  const { minReader, minWriter, reader, writer } = programs;
  return `may read from ${minReader}, write from ${minWriter}; this one reads as ${reader}, writes as ${writer}`;
}

function keySetRows({ keySet }: DatabaseStatus): readonly (readonly [string, string])[] {
  if (keySet === null) return [["Key set", "-"]];
  const { text, remedy } = keySetText(keySet);
  const inForce = keySet.state === "next" ? keySet.next : keySet.state === "current" ? keySet.current : null;
  return [
    ["Key set", text],
    ...(inForce?.keys ?? []).map((key) => ["", key] as const),
    ...(remedy === undefined ? [] : [["", remedy] as const]),
  ];
}

const MEBIBYTE = 1024 * 1024;

function sizeText({ size: { bytes, versions } }: DatabaseStatus, counts: string): string {
  if (bytes === null) return "-";
  const counted = versions === null ? "" : `, about ${versions.toLocaleString("en")} ${counts}`;
  return `${(bytes / MEBIBYTE).toFixed(1)} MiB${counted}`;
}
