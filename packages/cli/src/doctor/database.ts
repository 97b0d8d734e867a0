// The databases of the vault, of records, of keys and of the audit: would the service take them as they are? They are
// only looked at, also while services run.
import { isOnThisMachine } from "../config/store-url.ts";
import { CliError } from "../errors.ts";
import { namedKeySets } from "../installation/key-sets.ts";
import { type PostgresAccess, postgresAccess } from "../store/connect.ts";
import { keySetState, keySetText } from "../store/key-set-state.ts";
import { deniedIn, lookAt, type PostgresLook, unfitness } from "../store/look.ts";
import { replicationText, statementsText } from "../store/status.ts";
import { moveText, pendingText, sqliteState } from "../store/sqlite-state.ts";
import type { KeyedRole, StoreRole } from "../store/which.ts";
import type { Check, CheckSubject, Finding } from "./check.ts";

/** What the findings about each store are called. */
const NAMES: Readonly<Record<StoreRole, { readonly database: string; readonly keySet: string }>> = {
  records: { database: "Database", keySet: "Key set" },
  keys: { database: "Key store", keySet: "Key store's key set" },
  audit: { database: "Audit log", keySet: "" },
};

/** SQLite in the data folder, or PostgreSQL: whether it is fit, and what of it should be otherwise. */
function databaseCheck(role: StoreRole): Check {
  return async (subject) => {
    try {
      const access = postgresAccess(subject.loaded.config, subject.env, role);
      return access === null ? await checkSqlite(subject, role) : await checkPostgres(subject, access);
    } catch (error) {
      if (!(error instanceof CliError)) throw error;
      return [failed(error, role)];
    }
  };
}

/** The store of the records. */
export const checkDatabase: Check = databaseCheck("records");

/** The log of the audit. */
export const checkAuditLog: Check = databaseCheck("audit");

/** The store of the keys. */
export const checkKeyStore: Check = databaseCheck("keys");

function failed({ title, detail, reportedCode, remedy, problems }: CliError, role: StoreRole): Finding {
  const said = [detail ?? title, ...problems].join(" ");
  return { what: NAMES[role].database, severity: "failure", detail: `${said} [${reportedCode}]`, remedy };
}

/** The schema is the one that this version makes, and the file has all changes that its mark counts. */
async function checkSqlite(subject: CheckSubject, role: StoreRole): Promise<readonly Finding[]> {
  const found = await sqliteState(subject.loaded.config, role);
  const { state, problem, isMarked, commits, gate, move, markPath, pending } = found;
  const DATABASE = NAMES[role].database;
  if (problem !== null)
    return [
      { what: DATABASE, severity: "failure", detail: `${problem.detail} [${problem.code}]`, remedy: problem.remedy },
    ];
  const owed: Finding[] =
    move === null
      ? []
      : [
          {
            what: "Older database",
            severity: "warning",
            detail: `to do: ${moveText(move)}`,
            remedy: "The next start does it, and says how far it is; strongroom store migrate does it beforehand.",
          },
        ];
  if (state === "absent")
    return move === null ? [{ what: DATABASE, severity: "ok", detail: "there is none yet" }] : owed;
  const keySet = gate === null || role === "audit" ? [] : [await keySetFinding(subject, gate, role)];
  if (pending.length > 0)
    return [
      {
        what: DATABASE,
        severity: "warning",
        detail: `of the version before; to do: ${pendingText(found, role).join(", ")}`,
        remedy:
          "The next start does it; strongroom store migrate does it beforehand. The version before cannot go on then.",
      },
      ...keySet,
    ];
  if (!isMarked)
    return [
      {
        what: DATABASE,
        severity: "warning",
        detail: `${markPath} is not there: nothing tells whether this is the newest state of the vault`,
        remedy: "The service makes it at its next start, from what the database says then.",
      },
      ...owed,
      ...keySet,
    ];
  return [
    { what: DATABASE, severity: "ok", detail: `as this version makes it, with ${commits ?? 0} changes` },
    ...owed,
    ...keySet,
  ];
}

async function checkPostgres(subject: CheckSubject, access: PostgresAccess): Promise<readonly Finding[]> {
  const look = await lookAt(access);
  const problem = unfitness(access, look);
  const { server, store } = look;
  const fit: Finding =
    problem === null
      ? {
          what: NAMES[access.role].database,
          severity: "ok",
          detail: `PostgreSQL ${server.version} takes the login; schema ${access.schema} is at version ${store.version ?? 0}`,
        }
      : failed(problem, access.role);
  const keySet =
    store.gate === null || access.role === "audit" ? [] : [await keySetFinding(subject, store.gate, access.role)];
  // Where it lies in the database of the records, all of that was said of these.
  const ofServer =
    access.role !== "records" && access.setting === "store"
      ? []
      : [transport(access, look), statements(access, look), replication(access, look)];
  return [fit, ...privileges(access, look), ...ofServer, ...keySet];
}

function privileges({ role }: PostgresAccess, { server }: PostgresLook): readonly Finding[] {
  const denied = deniedIn(server);
  // What is denied is said with the database.
  if (!server.schema.exists || denied.length > 0) return [];
  return [
    {
      what: `${NAMES[role].database} privileges`,
      severity: "ok",
      detail: `all that is needed in ${server.schema.tables.length} tables`,
    },
  ];
}

function transport({ place, role, setting }: PostgresAccess, { server: { tls } }: PostgresLook): Finding {
  const what = `${NAMES[role].database} transport`;
  if (tls !== null) return { what, severity: "ok", detail: `${tls}, the server's certificate is checked` };
  if (place.host.startsWith("/")) return { what, severity: "ok", detail: "a socket of this machine" };
  if (!isOnThisMachine(place))
    return {
      what,
      severity: "warning",
      detail: `without TLS to another machine, as ${setting}.allowUnauthenticatedStore allows`,
      remedy: `Switch TLS on there, leave ?sslmode=disable out, and name the certificate's authority: ${setting}.caFile.`,
    };
  return { what, severity: "ok", detail: "without TLS, within this machine" };
}

function statements({ role }: PostgresAccess, { store }: PostgresLook): Finding {
  const said = statementsText({ pooler: store.pooler, named: store.namedStatements });
  return { what: `${NAMES[role].database} statements`, severity: "ok", detail: said };
}

/** What is answered as stored must outlive the loss of a machine; without a standby that has it, it may not. */
function replication({ role }: PostgresAccess, { server }: PostgresLook): Finding {
  const what = `${NAMES[role].database} durability`;
  const detail = replicationText(server);
  if (!server.fsync)
    return {
      what,
      severity: "failure",
      detail: "fsync is off: a crash of the machine destroys the database",
      remedy: "Set fsync = on in postgresql.conf.",
    };
  if (server.durability === "standby") return { what, severity: "ok", detail };
  if (server.durability === "off")
    return {
      what,
      severity: "warning",
      detail: `synchronous_commit is off for this user; the store switches it on for its own writes`,
      remedy: "Leave it on: alter role … reset synchronous_commit.",
    };
  return {
    what,
    severity: "warning",
    detail: `${detail}: what was answered as stored in the last moments is lost when this server is, and a standby takes over`,
    remedy: "Name a standby in synchronous_standby_names, with synchronous_commit = on.",
  };
}

async function keySetFinding(
  { loaded, folder }: CheckSubject,
  gate: NonNullable<PostgresLook["store"]["gate"]>,
  role: KeyedRole,
): Promise<Finding> {
  const state = keySetState(gate, await namedKeySets(loaded.config, folder, role));
  const { text, remedy } = keySetText(state);
  const isKnown = state.state !== "unknown" && state.state !== "unnamed";
  return {
    what: NAMES[role].keySet,
    severity: isKnown ? "ok" : "failure",
    detail: text,
    ...(remedy === undefined ? {} : { remedy }),
  };
}
