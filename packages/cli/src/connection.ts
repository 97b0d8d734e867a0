// How a command reaches the service: where it is and which token to show it (flags, environment and configuration
// first, then what `strongroom up` left in the data folder), and the client's errors as the command tells them. A token
// never comes from the command line, where every process of the machine could read it.
import { systemReason } from "@strongroom/base/files";
import {
  type Client,
  type ClientError,
  type ClientErrorCode,
  createClient,
  isClientError,
  type Why,
} from "@strongroom/client";
import { readAuthority, readAuthorityIfPresent } from "./authority.ts";
import type { LoadedConfig } from "./config/load.ts";
import { dataFolder, readRunning } from "./data-folder.ts";
import { CliError, type CliErrorOptions } from "./errors.ts";

/** The service's origin and the token; the token is never printed. */
export interface Connection {
  readonly origin: URL;
  readonly token: string;
}

/** The client of a connection; `signal` ends every call. `why` is said with each of them. */
export function clientOf(
  { origin, token }: Connection,
  { timeoutMs, signal, why = {} }: { readonly timeoutMs: number; readonly signal: AbortSignal; readonly why?: Why },
): Client {
  return createClient({ url: origin.origin, token, timeoutMs, signal, ...why });
}

/** Finds both. Throws `token-missing`, `plain-http`, `file-permissions` or `input-unreadable`. */
export async function findConnection(
  loaded: LoadedConfig,
  env: Readonly<Record<string, string | undefined>>,
): Promise<Connection> {
  const origin = findOrigin(loaded);
  if (origin.protocol === "http:" && !isLoopback(origin.hostname) && !loaded.config.client.allowPlainHttp) {
    throw new CliError("plain-http", { detail: `${origin.origin} is another machine, and http:// is not encrypted.` });
  }
  return { origin, token: findToken(loaded, env) };
}

/** The service's origin, without a token. */
export function findOrigin({ config, origins }: LoadedConfig): URL {
  if (config.client.url !== undefined) return new URL(config.client.url);
  const { host, port } = config.service;
  const configured = new URL(
    `http://${isWildcard(host) ? "127.0.0.1" : host.includes(":") ? `[${host}]` : host}:${port}`,
  );
  if (origins.has("service.port")) return configured;
  const path = dataFolder(config.dataDir).running;
  const running = read(path, () => readRunning(path));
  return running === null ? configured : new URL(running.url);
}

/** The token that a command shows. Throws `token-missing`, `file-permissions` or `input-unreadable`. */
export function findToken(
  { config, origins }: LoadedConfig,
  env: Readonly<Record<string, string | undefined>>,
): string {
  const named = config.client.tokenFile;
  const fromVariable = env["STRONGROOM_TOKEN"];
  // A variable beats the configuration file, a flag or STRONGROOM_TOKEN_FILE beats the variable.
  const namedOutsideFile = /^(--|STRONGROOM_)/.test(origins.get("client.tokenFile") ?? "");
  if (fromVariable !== undefined && fromVariable !== "" && !namedOutsideFile)
    return wellFormed(fromVariable, "STRONGROOM_TOKEN");
  if (named !== undefined) return tokenIn(named);
  const path = dataFolder(config.dataDir).token;
  const text = read(path, () => readAuthorityIfPresent(path, "secret"));
  if (text === null) throw new CliError("token-missing", { detail: `There is no token in ${path}.` });
  return wellFormed(text, path);
}

/** The token of a file. Throws `token-missing`, `file-permissions` or `input-unreadable`. */
export function tokenIn(path: string): string {
  const text = read(path, () => readAuthority(path, "secret"));
  return wellFormed(text, path);
}

/** A token must be fit for an HTTP header; what was found instead is not shown. */
function wellFormed(text: string, source: string): string {
  const token = text.trim();
  if (/^[\x21-\x7e]{1,512}$/.test(token)) return token;
  throw new CliError("token-missing", { detail: `What ${source} holds is not a token.` });
}

function unreadable(what: string): (cause: unknown) => never {
  return (cause) => {
    throw new CliError("input-unreadable", {
      detail: `${what}: ${systemReason(cause)}.`,
      remedy: "Check the path, and that you may read what is there.",
      cause,
    });
  };
}

function isLoopback(hostname: string): boolean {
  return hostname === "localhost" || hostname === "[::1]" || /^127\.\d+\.\d+\.\d+$/.test(hostname);
}

function isWildcard(host: string): boolean {
  return host === "0.0.0.0" || host === "::";
}

function read<Result>(what: string, reading: () => Result): Result {
  try {
    return reading();
  } catch (cause) {
    if (cause instanceof CliError) throw cause;
    return unreadable(what)(cause);
  }
}

/** What the client threw, as an error that says what to do on the command line; any other error as it is. */
export function asCliError(error: unknown): unknown {
  if (!isClientError(error)) return error;
  const { title, detail, cause } = error;
  const told: CliErrorOptions = { ...(detail === null ? {} : { detail }), cause };
  switch (error.code) {
    case "aborted":
      return new CliError("interrupted", { cause });
    case "unreachable":
      return new CliError("service-unreachable", told);
    case "timed-out":
      return new CliError("service-unreachable", { ...told, title });
    case "answer-too-large":
      return new CliError("service-unintelligible", { ...told, title });
    case "unintelligible":
      return new CliError("service-unintelligible", told);
    default:
      return new CliError("service-refused", { ...told, ...refusal(error) });
  }
}

/** Code -> what to do, where a command does it; otherwise the service's own words serve a person as well. */
const REMEDIES: Readonly<Partial<Record<ClientErrorCode, string>>> = {
  "token-invalid":
    "Use a token of this service: look for missing characters at its end, or make one on the service's machine with " +
    "strongroom token create NAME.",
  "scope-missing":
    "Use a token with the scope named above; strongroom token create NAME --scope SCOPE makes one on the service's " +
    "machine.",
  "record-absent": "Check the collection and the id; strongroom list COLLECTION shows what is there.",
  "version-absent": "strongroom history COLLECTION ID shows the versions that there are.",
  "collection-absent": "A collection comes into being with its first record. strongroom list shows the collections.",
};

function refusal({ code, title, outcome, reportedCode, remedy, regions, problems }: ClientError): CliErrorOptions {
  const said = [
    ...regions.map(({ region, reason }) => `${region}: ${reason}`),
    ...problems.map(({ path, message }) => `${path}: ${message}`),
  ];
  return { title, outcome, reportedCode, remedy: REMEDIES[code] ?? remedy, problems: said };
}
