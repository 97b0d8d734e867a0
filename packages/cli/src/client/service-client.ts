// The HTTP client of the service: one method a route, answers checked against their form, problems (RFC 9457) turned
// into errors with the right exit code. Nothing that is sent or received is ever put into an error.
import type { z } from "zod";
import { CliError, systemErrorCode } from "../errors.ts";
import {
  type BatchResult,
  batchSchema,
  type CollectionInfo,
  collectionsSchema,
  type DebtListing,
  debtSchema,
  type Listing,
  listingSchema,
  type PutAnswer,
  putSchema,
  type RegionsAnswer,
  regionsSchema,
  type VersionInfo,
  versionsSchema,
} from "./answers.ts";
import type { Connection } from "./connection.ts";
import { problemError } from "./problems.ts";

/** How the service is called. */
export interface ServiceClientOptions extends Connection {
  /** Longest wait for one answer. */
  readonly timeoutMs: number;
  /** Ends every call when aborted. */
  readonly signal: AbortSignal;
}

/** A document as it came, with what the headers say of it. */
export interface FetchedRecord {
  readonly version: number;
  readonly subject: string | null;
  /** When this version was written, RFC 3339; null if the service did not say. */
  readonly createdAt: string | null;
  /** The JSON text, exactly as the service sent it. */
  readonly text: string;
}

/** Conditions and subject of a write. */
export interface PutRequest {
  readonly collection: string;
  readonly id: string;
  /** The document's JSON text. */
  readonly body: string | Uint8Array;
  readonly subject?: string | undefined;
  readonly ifVersion?: number | undefined;
  readonly ifAbsent?: true | undefined;
}

/** One item of a batch. */
export interface BatchItem {
  readonly id: string;
  readonly subject?: string;
  readonly document: Readonly<Record<string, unknown>>;
}

/** What an import does where a record exists already. */
export type OnExisting = "compare" | "keep" | "replace";

/** The routes of the service. Every method throws a CliError that says what to do. */
export interface ServiceClient {
  readonly origin: string;
  put(request: PutRequest): Promise<PutAnswer>;
  putMany(collection: string, items: readonly BatchItem[], onExisting: OnExisting): Promise<readonly BatchResult[]>;
  get(collection: string, id: string, version?: number): Promise<FetchedRecord>;
  history(collection: string, id: string): Promise<readonly VersionInfo[]>;
  remove(collection: string, id: string, ifVersion?: number): Promise<void>;
  list(
    collection: string,
    page: { readonly cursor?: string | undefined; readonly limit?: number | undefined },
  ): Promise<Listing>;
  collections(): Promise<readonly CollectionInfo[]>;
  regions(): Promise<RegionsAnswer>;
  debts(page: { readonly cursor?: string | undefined; readonly limit?: number | undefined }): Promise<DebtListing>;
}

/** Makes the client. */
export function serviceClient(options: ServiceClientOptions): ServiceClient {
  const call = (
    method: string,
    path: string,
    init: Readonly<Omit<CallInit, "method" | "path">> = {},
  ): Promise<Response> => callService(options, { method, path, ...init });
  return {
    origin: options.origin.origin,
    put: async ({ collection, id, body, subject, ifVersion, ifAbsent }) => {
      const headers = {
        "content-type": "application/json",
        ...(subject === undefined ? {} : { "strongroom-subject": encodeURIComponent(subject) }),
        ...(ifVersion === undefined ? {} : { "if-match": `"${ifVersion}"` }),
        ...(ifAbsent === undefined ? {} : { "if-none-match": "*" }),
      };
      return readAs(putSchema, await call("PUT", recordPath(collection, id), { headers, body }));
    },
    putMany: async (collection, records, onExisting) => {
      const body = JSON.stringify({ records, onExisting });
      const { results } = await readAs(
        batchSchema,
        await call("POST", collectionPath(collection), { headers: { "content-type": "application/json" }, body }),
      );
      if (results.length !== records.length)
        throw unintelligible("the batch's answer has another length than the batch");
      return results;
    },
    get: async (collection, id, version) => {
      const path = recordPath(collection, id) + (version === undefined ? "" : `/versions/${version}`);
      const response = await call("GET", path);
      const subject = response.headers.get("strongroom-subject");
      const modified = response.headers.get("last-modified");
      return {
        version: Number(response.headers.get("strongroom-version") ?? Number.NaN),
        subject: subject === null ? null : decodeHeader(subject),
        createdAt: modified === null ? null : new Date(modified).toISOString(),
        text: await response.text(),
      };
    },
    history: async (collection, id) =>
      (await readAs(versionsSchema, await call("GET", `${recordPath(collection, id)}/versions`))).versions,
    remove: async (collection, id, ifVersion) => {
      const headers = ifVersion === undefined ? {} : { "if-match": `"${ifVersion}"` };
      await (await call("DELETE", recordPath(collection, id), { headers })).arrayBuffer();
    },
    list: async (collection, page) =>
      readAs(listingSchema, await call("GET", `${collectionPath(collection)}${pageQuery(page)}`)),
    collections: async () => (await readAs(collectionsSchema, await call("GET", "/v1/collections"))).collections,
    regions: async () => readAs(regionsSchema, await call("GET", "/v1/regions")),
    debts: async (page) => readAs(debtSchema, await call("GET", `/v1/regions/debt${pageQuery(page)}`)),
  };
}

interface CallInit {
  readonly method: string;
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
}

async function callService(
  { origin, token, timeoutMs, signal }: ServiceClientOptions,
  { method, path, headers, body }: CallInit,
): Promise<Response> {
  const request = {
    method,
    headers: { accept: "application/json", ...headers, authorization: `Bearer ${token}` },
    signal: AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]),
    redirect: "error" as const,
    ...(body === undefined ? {} : { body: typeof body === "string" ? body : new Uint8Array(body) }),
  };
  let response: Response;
  try {
    response = await fetch(new URL(path, origin), request);
  } catch (cause) {
    throw unreachable(cause, { origin: origin.origin, timeoutMs, signal });
  }
  if (response.ok) return response;
  throw await problemError(response);
}

function unreachable(
  cause: unknown,
  { origin, timeoutMs, signal }: { readonly origin: string; readonly timeoutMs: number; readonly signal: AbortSignal },
): CliError {
  if (signal.aborted) return new CliError("interrupted", { cause });
  if (cause instanceof Error && cause.name === "TimeoutError") {
    return new CliError("service-unreachable", {
      title: "The service did not answer in time",
      detail: `${origin} was silent for ${timeoutMs / 1000} s.`,
      cause,
    });
  }
  const inner = cause instanceof Error ? (cause.cause ?? cause) : cause;
  const code = systemErrorCode(inner instanceof AggregateError ? inner.errors[0] : inner);
  const reasons: Readonly<Record<string, string>> = {
    ECONNREFUSED: "nothing listens there",
    ENOTFOUND: "there is no such host",
    EAI_AGAIN: "the host's name can not be looked up now",
    ECONNRESET: "the connection was closed",
    UND_ERR_SOCKET: "the connection was closed",
  };
  return new CliError("service-unreachable", {
    detail: `${origin}: ${reasons[code ?? ""] ?? code ?? "no connection"}.`,
    cause,
  });
}

async function readAs<Answer>(schema: z.ZodType<Answer>, response: Response): Promise<Answer> {
  const parsed = schema.safeParse(await response.json().catch(() => undefined));
  if (parsed.success) return parsed.data;
  throw unintelligible(parsed.error.issues.map(({ path }) => path.join(".")).join(", "));
}

function unintelligible(what: string): CliError {
  return new CliError("service-unintelligible", {
    detail: `Not as expected in its answer: ${what === "" ? "the whole of it" : what}.`,
  });
}

function pageQuery({
  cursor,
  limit,
}: {
  readonly cursor?: string | undefined;
  readonly limit?: number | undefined;
}): string {
  const query = new URLSearchParams();
  if (cursor !== undefined) query.set("cursor", cursor);
  if (limit !== undefined) query.set("limit", String(limit));
  return query.size === 0 ? "" : `?${query.toString()}`;
}

function collectionPath(collection: string): string {
  return `/v1/records/${segment(collection, "collection")}`;
}

function recordPath(collection: string, id: string): string {
  return `${collectionPath(collection)}/${segment(id, "id")}`;
}

/**
 * "." and ".." and nothing at all would change the path (RFC 3986, section 5.2.4) and name another route; they are no
 * names anyway.
 */
function segment(name: string, what: "collection" | "id"): string {
  if (name === "" || name === "." || name === "..") {
    throw new CliError("usage", {
      title: `Not a valid ${what}`,
      detail: name === "" ? `The ${what} is empty.` : `The ${what} may not be "${name}".`,
      remedy:
        what === "id"
          ? "An id is 1 to 256 bytes, without / or \\ and without control characters."
          : "A collection is a small letter, then small letters, digits, - or _.",
      reportedCode: `${what}-invalid`,
    });
  }
  if (!name.isWellFormed())
    throw new CliError("usage", {
      title: `Not a valid ${what}`,
      detail: "It is not well-formed text.",
      reportedCode: `${what}-invalid`,
    });
  return encodeURIComponent(name);
}

function decodeHeader(value: string): string {
  try {
    return decodeURIComponent(value);
  } catch {
    return value;
  }
}
