// The vault's database: would the service take it as it is? It is only looked at, also while services run.
import { isOnThisMachine } from "../config/store-url.ts";
import { CliError } from "../errors.ts";
import { namedKeySets } from "../installation/key-sets.ts";
import { type PostgresAccess, postgresAccess } from "../store/connect.ts";
import { keySetState, keySetText } from "../store/key-set-state.ts";
import { deniedIn, lookAt, type PostgresLook, unfitness } from "../store/look.ts";
import { replicationText, statementsText } from "../store/status.ts";
import { moveText, sqliteState } from "../store/sqlite-state.ts";
import type { Check, CheckSubject, Finding } from "./check.ts";

const DATABASE = "Database";

/** SQLite in the data folder, or PostgreSQL: whether it is fit, and what of it should be otherwise. */
export const checkDatabase: Check = async (subject) => {
  try {
    const access = postgresAccess(subject.loaded.config, subject.env);
    return access === null ? await checkSqlite(subject) : await checkPostgres(subject, access);
  } catch (error) {
    if (!(error instanceof CliError)) throw error;
    return [failed(error)];
  }
};

function failed({ title, detail, reportedCode, remedy, problems }: CliError): Finding {
  const said = [detail ?? title, ...problems].join(" ");
  return { what: DATABASE, severity: "failure", detail: `${said} [${reportedCode}]`, remedy };
}

/** The schema is the one that this version makes, and the file has all changes that its mark counts. */
async function checkSqlite(subject: CheckSubject): Promise<readonly Finding[]> {
  const { folder } = subject;
  const { state, problem, isMarked, commits, gate, move } = await sqliteState(folder);
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
  const keySet = gate === null ? [] : [await keySetFinding(subject, gate)];
  if (!isMarked)
    return [
      {
        what: DATABASE,
        severity: "warning",
        detail: `${folder.recordsMark} is not there: nothing tells whether this is the newest state of the vault`,
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
          what: DATABASE,
          severity: "ok",
          detail: `PostgreSQL ${server.version} takes the login; schema ${access.schema} is at version ${store.version ?? 0}`,
        }
      : failed(problem);
  const keySet = store.gate === null ? [] : [await keySetFinding(subject, store.gate)];
  return [fit, ...privileges(look), transport(access, look), statements(look), replication(look), ...keySet];
}

function privileges({ server }: PostgresLook): readonly Finding[] {
  const denied = deniedIn(server);
  // What is denied is said with the database.
  if (!server.schema.exists || denied.length > 0) return [];
  return [
    {
      what: "Database privileges",
      severity: "ok",
      detail: `all that is needed in ${server.schema.tables.length} tables`,
    },
  ];
}

function transport({ place }: PostgresAccess, { server: { tls } }: PostgresLook): Finding {
  const what = "Database transport";
  if (tls !== null) return { what, severity: "ok", detail: `${tls}, the server's certificate is checked` };
  if (place.host.startsWith("/")) return { what, severity: "ok", detail: "a socket of this machine" };
  if (!isOnThisMachine(place))
    return {
      what,
      severity: "warning",
      detail: "without TLS to another machine, as store.allowUnauthenticatedStore allows",
      remedy: "Switch TLS on there, leave ?sslmode=disable out, and name the certificate's authority: store.caFile.",
    };
  return { what, severity: "ok", detail: "without TLS, within this machine" };
}

function statements({ store }: PostgresLook): Finding {
  const said = statementsText({ pooler: store.pooler, named: store.namedStatements });
  return { what: "Database statements", severity: "ok", detail: said };
}

/** What is answered as stored must outlive the loss of a machine; without a standby that has it, it may not. */
function replication({ server }: PostgresLook): Finding {
  const what = "Database durability";
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
): Promise<Finding> {
  const state = keySetState(gate, await namedKeySets(loaded.config, folder));
  const { text, remedy } = keySetText(state);
  const isKnown = state.state !== "unknown" && state.state !== "unnamed";
  return {
    what: "Key set",
    severity: isKnown ? "ok" : "failure",
    detail: text,
    ...(remedy === undefined ? {} : { remedy }),
  };
}
