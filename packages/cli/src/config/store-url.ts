// The form of `store.url`: which PostgreSQL database holds the records, and by what its server is known. Threats: a
// password in a URL or an argument is read by every process of the machine; whoever takes the address of a server that
// is reached without TLS is told who writes, and answers what he likes.
import { z } from "zod";

/** A PostgreSQL database. */
export interface PostgresPlace {
  /** A name or an address without brackets; the folder of its socket begins with `/`. */
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly database: string;
  /** `verified`: TLS, the server's certificate and name checked. `plain`: no TLS. `left-out`: the URL does not say. */
  readonly tls: "verified" | "plain" | "left-out";
}

/** The parameters that a URL may have, and the values that are known. */
const SSL_MODES: Readonly<Record<string, PostgresPlace["tls"]>> = { "verify-full": "verified", disable: "plain" };

const FORM = "postgres://USER@HOST:PORT/DATABASE";

/** What is wrong with a URL; texts that begin in lower case, after the setting's name, and never quote it. */
export interface UrlProblem {
  readonly problem: string;
}

/**
 * Reads a URL, `postgres://user@host:port/database`, with `?sslmode=verify-full|disable`, and `?host=/folder` for a
 * server's socket.
 */
export function readStoreUrl(text: string): PostgresPlace | UrlProblem {
  if (!/^postgres(ql)?:/i.test(text)) {
    const scheme = /^([a-z][a-z0-9+.-]{0,31}):/i.exec(text)?.[1];
    return {
      problem:
        `must be a URL ${FORM}${scheme === undefined ? "" : `; ${scheme}: is no store that there is`}. ` +
        "Left out, the records lie in SQLite, in the data folder",
    };
  }
  let url: URL;
  try {
    // Without a host, as for a socket, URL takes no user: it is given one, which is taken away again.
    url = new URL(text.replace(/^postgres(ql)?:\/\/([^/?#@]*@)?(?=[:/?#]|$)/i, "postgres://$2localhost.socket"));
  } catch {
    return { problem: `must be a URL ${FORM}` };
  }
  if (url.password !== "" || url.searchParams.has("password"))
    return {
      problem:
        "holds a password, which every process of this machine can read, and which the shell may remember: " +
        "change it in the database, leave it out here, and put it into a file (store.passwordFile, mode 600) or into " +
        "STRONGROOM_STORE_PASSWORD",
    };
  return placeOf(url);
}

function placeOf(url: URL): PostgresPlace | UrlProblem {
  const parameters = [...url.searchParams.keys()];
  const unknown = parameters.find((name) => name !== "sslmode" && name !== "host");
  if (unknown !== undefined || new Set(parameters).size < parameters.length || url.hash !== "")
    return { problem: "may have the parameters sslmode and host (the folder of a socket), each once" };
  const mode = url.searchParams.get("sslmode");
  const tls = mode === null ? "left-out" : Object.hasOwn(SSL_MODES, mode) ? SSL_MODES[mode] : undefined;
  if (tls === undefined)
    return {
      problem:
        "asks for an sslmode that does not prove which server answers: use verify-full, or disable to this machine",
    };
  const [user, database] = [decoded(url.username), decoded(url.pathname.slice(1))];
  if (user === null || user === "") return { problem: `must name a user: ${FORM}` };
  if (database === null || database === "" || database.includes("/"))
    return { problem: `must name a database: ${FORM}` };
  const named = url.hostname === "localhost.socket" ? null : decoded(url.hostname.replace(/^\[|\]$/g, ""));
  const socket = url.searchParams.get("host");
  if (socket !== null && (!socket.startsWith("/") || named !== null))
    return { problem: "may name the folder of a socket by ?host=/FOLDER, and then no other host" };
  const host = socket ?? named;
  if (host === null || host === "") return { problem: `must name a host: ${FORM}` };
  return { host, port: url.port === "" ? 5432 : Number(url.port), user, database, tls };
}

/** Null: it is no text in UTF-8, or holds what no name of PostgreSQL can. */
function decoded(text: string): string | null {
  try {
    const name = decodeURIComponent(text);
    return /[\0-\x1f\x7f]/.test(name) || Buffer.byteLength(name) > 255 ? null : name;
  } catch {
    return null;
  }
}

/** Whether nobody but this machine's own processes can be at the address. */
export function isOnThisMachine({ host }: Pick<PostgresPlace, "host">): boolean {
  return (
    host.startsWith("/") || host === "localhost" || host === "::1" || /^127\.\d{1,3}\.\d{1,3}\.\d{1,3}$/.test(host)
  );
}

/** `store.url` alone. It stays the text that it is; {@link storePlace} reads it. */
export const storeUrl: z.ZodType<string> = z.string().superRefine((text, context) => {
  const read = readStoreUrl(text);
  if ("problem" in read) context.addIssue(read.problem);
});

/** The database of a URL that {@link storeUrl} has taken. */
export function storePlace(url: string): PostgresPlace {
  const read = readStoreUrl(url);
  if ("problem" in read) throw new TypeError("a store's URL that was not checked");
  return read;
}

/** A database as it is shown: where, and which. */
export function placeText({ host, port, user, database }: PostgresPlace): string {
  return `${user}@${host.includes(":") && !host.startsWith("/") ? `[${host}]` : host}:${port}/${database}`;
}
