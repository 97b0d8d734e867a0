// `strongroom store status`: where the records lie and how that is, for a person and for programs. It looks, and
// changes nothing.
import { STORE_READER, STORE_WRITER } from "@strongroom/vault";
import { type Terminal, wrapped } from "@strongroom/base/terminal";
import type { Config } from "../config/config.ts";
import { placeText } from "../config/store-url.ts";
import type { DataFolder } from "../data-folder.ts";
import type { CliError } from "../errors.ts";
import { namedKeySets } from "../installation/key-sets.ts";
import { type PostgresAccess, postgresAccess } from "./connect.ts";
import { type KeySetState, keySetState, keySetText } from "./key-set-state.ts";
import { lookAt, type PostgresLook, unfitness } from "./look.ts";
import type { ServerFacts } from "./server-facts.ts";
import { moveText, sqliteState } from "./sqlite-state.ts";

/** The result, as JSON. */
export interface StoreStatus {
  readonly kind: "sqlite" | "postgres";
  /** A path, or USER@HOST:PORT/DATABASE. */
  readonly place: string;
  readonly schema: {
    /** Of PostgreSQL, its name. */
    readonly name: string | null;
    /** Null: there is none yet. */
    readonly version: number | null;
    /** What this program makes of it. */
    readonly latest: number;
    readonly pending: readonly string[];
  };
  /** Which programs may use it; null: there is no schema yet. */
  readonly programs: {
    readonly minReader: number;
    readonly minWriter: number;
    readonly reader: number;
    readonly writer: number;
  } | null;
  /** Null: there is no schema yet. */
  readonly keySet: KeySetState | null;
  readonly size: { readonly bytes: number; /** Estimated; null: not known. */ readonly versions: number | null };
  /** Of PostgreSQL. */
  readonly server: Omit<ServerFacts, "schema"> | null;
  /** Of PostgreSQL: whether a pooler is between, and whether statements are named. */
  readonly statements: { readonly pooler: boolean; readonly named: boolean } | null;
  /** What keeps this program from using it; null: nothing does. */
  readonly problem: { readonly code: string; readonly detail: string; readonly remedy: string } | null;
}

/** Looks. Throws the CliErrors of a connection that does not come to be. */
export async function storeStatus(
  config: Config,
  folder: DataFolder,
  env: Readonly<Record<string, string | undefined>>,
): Promise<StoreStatus> {
  const access = postgresAccess(config, env);
  const sets = await namedKeySets(config, folder);
  if (access === null) return sqliteStatus(folder, sets);
  return postgresStatus(access, await lookAt(access), sets);
}

type KeySets = Awaited<ReturnType<typeof namedKeySets>>;

function postgresStatus(access: PostgresAccess, look: PostgresLook, sets: KeySets): StoreStatus {
  const { server, store } = look;
  const { schema, ...facts } = server;
  const problem = unfitness(access, look);
  return {
    kind: "postgres",
    place: placeText(access.place),
    schema: { name: access.schema, version: store.version, latest: store.latest, pending: store.pending },
    programs: programsOf(store.gate),
    keySet: store.gate === null ? null : keySetState(store.gate, sets),
    size: {
      bytes: schema.tables.reduce((sum, { bytes }) => sum + bytes, 0),
      versions: schema.tables.find(({ name }) => name === "versions")?.rows ?? null,
    },
    server: facts,
    statements: { pooler: store.pooler, named: store.namedStatements },
    problem:
      problem === null ? null : { code: problem.reportedCode, detail: problemText(problem), remedy: problem.remedy },
  };
}

/** With each of what is wrong, on one line. */
function problemText({ detail, title, problems }: CliError): string {
  return [detail ?? title, problems.join("; ")].filter((part) => part !== "").join(" ");
}

async function sqliteStatus(folder: DataFolder, sets: KeySets): Promise<StoreStatus> {
  const { gate, version, latest, move, bytes, problem } = await sqliteState(folder);
  return {
    kind: "sqlite",
    place: folder.records,
    schema: {
      name: null,
      version,
      latest,
      pending: move === null ? [] : [moveText(move)],
    },
    programs: programsOf(gate),
    keySet: gate === null ? null : keySetState(gate, sets),
    size: { bytes, versions: null },
    server: null,
    statements: null,
    problem,
  };
}

function programsOf(gate: PostgresLook["store"]["gate"]): StoreStatus["programs"] {
  if (gate === null) return null;
  const { minReader, minWriter } = gate;
  return { minReader, minWriter, reader: STORE_READER, writer: STORE_WRITER };
}

/** For a person: one line for each matter. */
export function statusView(status: StoreStatus, terminal: Terminal): string {
  const rows: readonly (readonly [string, string])[] = [
    ["Store", `${status.kind === "sqlite" ? "SQLite" : "PostgreSQL"}  ${status.place}`],
    ...serverRows(status),
    ["Schema", schemaText(status)],
    ["Programs", programsText(status)],
    ...keySetRows(status),
    ["Size", sizeText(status)],
    ...(status.problem === null ? [] : [["Problem", `${status.problem.detail} [${status.problem.code}]`] as const]),
    ...(status.problem === null ? [] : [["", status.problem.remedy] as const]),
  ];
  return rows.map(([label, text]) => wrapped(`${label.padEnd(13)}${text}`, terminal.width, 13)).join("\n");
}

function serverRows({ server, statements }: StoreStatus): readonly (readonly [string, string])[] {
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
export function replicationText({ durability, standbys, fsync }: NonNullable<StoreStatus["server"]>): string {
  const following =
    standbys === null || standbys === 0
      ? "no standby follows"
      : standbys === 1
        ? "1 standby follows"
        : `${standbys} standbys follow`;
  if (!fsync || durability === "off") return `commits are answered before they are on a disk; ${following}`;
  return durability === "standby" ? `synchronous; ${following}` : `asynchronous; ${following}`;
}

function schemaText({ schema: { name, version, latest, pending } }: StoreStatus): string {
  const called = name === null ? "" : `${name}, `;
  const is = version === null ? "not made yet" : `version ${version}, this program's is ${latest}`;
  const rest = pending.length === 0 ? "nothing to migrate" : `to migrate: ${pending.join(", ")}`;
  return `${called}${is}; ${rest}`;
}

function programsText({ programs }: StoreStatus): string {
  if (programs === null) return "-";
  const { minReader, minWriter, reader, writer } = programs;
  return `may read from ${minReader}, write from ${minWriter}; this one reads as ${reader}, writes as ${writer}`;
}

function keySetRows({ keySet }: StoreStatus): readonly (readonly [string, string])[] {
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

function sizeText({ size: { bytes, versions } }: StoreStatus): string {
  const counted = versions === null ? "" : `, about ${versions.toLocaleString("en")} versions`;
  return `${(bytes / MEBIBYTE).toFixed(1)} MiB${counted}`;
}
