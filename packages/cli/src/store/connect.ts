// Connections to the PostgreSQL database of an installation: who logs in with which password, and how the server is
// proven. Nothing is left to the driver's own defaults, which take passwords, hosts and TLS from the environment and
// from files of the user's home.
import { X509Certificate } from "node:crypto";
import { getCACertificates } from "node:tls";
import { systemReason } from "@strongroom/base/files";
import { Client, type ClientConfig, Pool } from "pg";
import { readAuthority } from "../authority.ts";
import type { Config } from "../config/config.ts";
import { isOnThisMachine, placeText, type PostgresPlace, storePlace } from "../config/store-url.ts";
import { CLI_ERRORS, CliError } from "../errors.ts";
import { connectionFailed, isConnectionFailure } from "./failures.ts";
import {
  aboutSettings,
  type ConfiguredPlace,
  placeSettings,
  STORE_ROLES,
  type StoreRole,
  type StoreSetting,
} from "./which.ts";

/** The variables of the process. */
type Environment = Readonly<Record<string, string | undefined>>;

/** Longest wait for a connection, in milliseconds. */
export const CONNECT_MS = 5000;
/** A connection that nobody needs is kept for so long, in milliseconds. */
const IDLE_MS = 30_000;
const LONGEST_PASSWORD = 4096;

/** A server, and all that a connection to it needs. */
export interface ServerAccess extends ConfiguredPlace {
  /** Whether connections go over TLS, with the server proven. */
  readonly tls: boolean;
  readonly connection: ClientConfig;
}

/** The database of the configuration. */
export interface PostgresAccess extends ServerAccess {
  /** Which store lies in the schema. */
  readonly role: StoreRole;
  readonly schema: string;
  readonly poolSize: number;
}

/**
 * What the configuration says of a store in PostgreSQL; null: it lies in SQLite.
 *
 * @throws CliError `config-invalid`, `input-unreadable` and `file-permissions` about the files of the password and of
 *   the authorities
 */
export function postgresAccess(config: Config, env: Environment, role: StoreRole): PostgresAccess | null {
  const { settings: store, role: configured } = placeSettings(config, role);
  if (store.url === undefined) return null;
  const { setting, passwordVariable } = STORE_ROLES[configured];
  const login = { ...store, url: store.url, setting, passwordVariable };
  return { role, schema: store.schema, poolSize: store.poolSize, ...serverAccess(login, env) };
}

/** A server, and who logs in there. */
export interface ServerLogin {
  readonly url: string;
  readonly passwordFile?: string | undefined;
  readonly caFile?: string | undefined;
  readonly setting: StoreSetting;
  readonly passwordVariable: string;
}

/** How a server is reached. Throws as {@link postgresAccess}. */
export function serverAccess(login: ServerLogin, env: Environment): ServerAccess {
  const { setting, caFile } = login;
  const place = storePlace(login.url);
  const password = readPassword(login, env);
  const tls = usesTls(place, caFile);
  const { host, port, user, database } = place;
  return {
    place,
    setting,
    tls,
    connection: {
      host,
      port,
      user,
      database,
      // A function, or the driver goes on to look for a password in the user's home.
      password: () => {
        if (password !== null) return password;
        throw new CliError("store-login-refused", {
          detail: `${placeText(place)}: it wants a password, and none is given.`,
          remedy: aboutSettings(CLI_ERRORS["store-login-refused"].remedy, setting),
        });
      },
      ssl: tls
        ? {
            // Said, because a variable of the environment turns it off (NODE_TLS_REJECT_UNAUTHORIZED).
            rejectUnauthorized: true,
            minVersion: "TLSv1.2",
            ca: caFile === undefined ? publicAuthorities() : readAuthorities(caFile),
          }
        : false,
      enableChannelBinding: true,
      connectionTimeoutMillis: CONNECT_MS,
      keepAlive: true,
      application_name: "strongroom",
    },
  };
}

/** Without a word on it, a server elsewhere is proven, and one on this machine is if its authorities are named. */
function usesTls(place: PostgresPlace, caFile: string | undefined): boolean {
  if (place.tls === "left-out") return !isOnThisMachine(place) || caFile !== undefined;
  return place.tls === "verified";
}

/** Null: none is given, as for a login by the socket's owner. */
function readPassword({ passwordFile: file, setting, passwordVariable }: ServerLogin, env: Environment): string | null {
  const variable = env[passwordVariable];
  if (file === undefined)
    return variable === undefined || variable === "" ? null : wellFormed(variable, passwordVariable);
  if (variable !== undefined && variable !== "")
    throw new CliError("config-invalid", {
      detail: `The database's password is given by ${setting}.passwordFile and by ${passwordVariable}: give one of them.`,
    });
  return wellFormed(readable(file, "secret", "password").replace(/\r?\n$/, ""), file);
}

/** What was found instead is not shown. */
function wellFormed(password: string, source: string): string {
  if (password !== "" && password.length <= LONGEST_PASSWORD && !/[\0\r\n]/.test(password)) return password;
  throw new CliError("input-unreadable", {
    detail: `What ${source} holds is no password: one line, not empty.`,
    remedy: "Write the password of the database's user there, and nothing else.",
  });
}

/** Those that Node brings, and those of this machine, where a database's own authority often is. */
function publicAuthorities(): string[] {
  return [...new Set([...getCACertificates("default"), ...getCACertificates("system")])];
}

/** Whoever may write the file says who the server is. */
function readAuthorities(path: string): string {
  const text = readable(path, "public", "authorities");
  try {
    // Node takes an empty file for no file, and then believes every public authority.
    new X509Certificate(text);
  } catch (cause) {
    throw new CliError("input-unreadable", {
      detail: `${path}, the file of the database's authorities, has no certificate in it that can be read.`,
      remedy: "Name the PEM file of whoever signed the server's certificate.",
      cause,
    });
  }
  return text;
}

function readable(path: string, secrecy: "secret" | "public", what: string): string {
  try {
    return readAuthority(path, secrecy);
  } catch (cause) {
    if (cause instanceof CliError) throw cause;
    throw new CliError("input-unreadable", {
      detail: `${path}, the file of the database's ${what}, cannot be read: ${systemReason(cause)}.`,
      remedy: "Check the path, and that you may read what is there.",
      cause,
    });
  }
}

/** Connections for the store of a process. A caller ends it. */
export function storePool({ connection, poolSize }: Pick<PostgresAccess, "connection" | "poolSize">): Pool {
  const pool = new Pool({ ...connection, max: poolSize, idleTimeoutMillis: IDLE_MS });
  // Without a listener the process ends when the server drops a connection that nobody uses. The next question makes
  // another one, and says what is the matter if it cannot.
  pool.on("error", () => undefined);
  return pool;
}

/**
 * Runs `ask` on a connection of its own, which is ended after it.
 *
 * @throws CliError for what the connection or a question failed with
 */
export async function withConnection<Result>(
  access: PostgresAccess,
  ask: (client: Client) => Promise<Result>,
): Promise<Result> {
  const client = new Client(access.connection);
  client.on("error", () => undefined);
  try {
    await client.connect().catch((cause: unknown) => {
      throw connectionFailed(cause, access);
    });
    return await ask(client);
  } catch (cause) {
    throw isConnectionFailure(cause) ? connectionFailed(cause, access) : cause;
  } finally {
    await client.end().catch(() => undefined);
  }
}
