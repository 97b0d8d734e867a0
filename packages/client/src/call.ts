/**
 * One call of the service: sent with token, deadline and signals; its answer held against the form that the service
 * describes; whatever goes wrong as a ClientError. Nothing that is sent or received is put into an error.
 */
import { Validator } from "@cfworker/json-schema";
import createFetchClient, { type Client as FetchClient } from "openapi-fetch";
import { ANSWER_FORMS } from "./api-tables.ts";
import type { Answers, paths } from "./api-types.ts";
import { boundedFetch, isEventStream, streamFetch } from "./bounded-fetch.ts";
import { ClientError, problemError, type ProblemParts } from "./errors.ts";
import { DEFAULT_RETRIES, retryAfter, withRetries } from "./retry.ts";

/** How the service is reached. */
export interface ClientOptions {
  /** Where the service is: `https://vault.example`, with a path if it lies behind one. */
  readonly url: string | URL;
  /** `srt_…`, sent as a bearer token. It is the caller's to decide whether http:// is good enough for it. */
  readonly token: string;
  /** Left out: the platform's `fetch`. */
  readonly fetch?: ((request: Request) => Promise<Response>) | undefined;
  /** Longest wait for a whole answer, in milliseconds; left out: {@link DEFAULT_TIMEOUT_MS}. */
  readonly timeoutMs?: number | undefined;
  /**
   * How often a call is sent again that the service refused for its load, each time after as long as it asks for,
   * within `timeoutMs`; left out: {@link DEFAULT_RETRIES}, 0 for never.
   */
  readonly retries?: number | undefined;
  /**
   * Longest answer, in bytes, after its compression was undone; left out: {@link DEFAULT_MAX_ANSWER_BYTES}. A longer
   * one ends the call with `answer-too-large`.
   */
  readonly maxAnswerBytes?: number | undefined;
  /** Ends every call when it is aborted. */
  readonly signal?: AbortSignal | undefined;
  /** Why calls are made, unless a call says otherwise. */
  readonly purpose?: string | undefined;
  readonly ticket?: string | undefined;
  readonly export?: string | undefined;
}

/** Why something is done, as the audit of the service has it. What is left out is as the client's options say. */
export interface Why {
  /** A code, 1 to 64 characters of `a-z0-9.-`. A collection may declare some, and then one of them is needed. */
  readonly purpose?: string | undefined;
  /** What it is done for, in another system: 1 to 64 characters of `A-Za-z0-9._#/-`. */
  readonly ticket?: string | undefined;
  /** The export that it is a part of: a UUID of version 4 in lower case. */
  readonly export?: string | undefined;
}

/** What every call takes. */
export interface CallOptions extends Why {
  /** Ends this call when it is aborted. */
  readonly signal?: AbortSignal | undefined;
}

/** Longest wait for an answer unless told otherwise: the service gives up after 30 s itself. */
export const DEFAULT_TIMEOUT_MS = 35_000;

/** Longest answer unless told otherwise: 32 MiB, more than the largest page of a service as it is installed. */
export const DEFAULT_MAX_ANSWER_BYTES: number = 32 * 1024 * 1024;

type Http = FetchClient<paths>;

/** A reply of the service as openapi-fetch gives it: `data` of a success, else `error`. */
interface Reply<Data> {
  readonly data?: Data | undefined;
  readonly error?: unknown;
  readonly response: Response;
}

/** The answers of calls that change something. */
const WRITES: ReadonlySet<string> = new Set<keyof Answers>(["PutAnswer", "BatchAnswer", "RemoveAnswer", "ExportEnd"]);

interface Answered<Data> {
  readonly data: Data;
  readonly response: Response;
}

/** What ends a call: its callers, its deadline. */
interface Signals {
  readonly callers: readonly AbortSignal[];
  readonly deadline: AbortSignal;
}

/** What of a call is the same for every route. */
type CallInit = Readonly<{ signal: AbortSignal; headers: Readonly<Record<string, string>> }>;

/** The bytes of an answer as they come. */
export type Bytes = ReadableStream<Uint8Array<ArrayBuffer>>;

/** Makes the call itself. */
export type Ask<Data> = (http: Http, init: CallInit) => Promise<Reply<Data>>;

/** Calls the service. Every method throws ClientError. */
export interface Caller {
  /**
   * For an answer that the OpenAPI document names: `name` is checked at run time, its type by the compiler. `how` says
   * of an answer that both have whether this call changes something; otherwise its name does.
   */
  readonly answer: <Name extends keyof Answers>(
    name: Name,
    options: CallOptions,
    ask: Ask<Answers[Name]>,
    how?: "reads" | "writes",
  ) => Promise<Answers[Name]>;
  /** For an answer that goes on: its bytes as they come, until a caller ends it. Its head alone has the deadline. */
  readonly stream: (
    options: CallOptions,
    ask: Ask<Bytes | null>,
  ) => Promise<{ readonly bytes: Bytes; readonly callers: readonly AbortSignal[] }>;
  /** For an answer whose body is read as it is. */
  readonly text: (
    options: CallOptions,
    ask: Ask<string>,
  ) => Promise<{ readonly text: string; readonly headers: Headers }>;
}

/** Makes it. Throws ClientError `option-invalid`. */
export function caller(options: ClientOptions): Caller {
  requireOptions(options);
  const base = baseUrl(options.url);
  const timeoutMs = options.timeoutMs ?? DEFAULT_TIMEOUT_MS;
  if (!(timeoutMs > 0 && timeoutMs <= 0x7fff_ffff))
    throw new ClientError("option-invalid", { detail: "`timeoutMs` must be milliseconds, more than 0." });
  const retries = options.retries ?? DEFAULT_RETRIES;
  if (!Number.isSafeInteger(retries) || retries < 0)
    throw new ClientError("option-invalid", { detail: "`retries` must be a whole number from 0." });
  const maxAnswerBytes = options.maxAnswerBytes ?? DEFAULT_MAX_ANSWER_BYTES;
  if (!Number.isSafeInteger(maxAnswerBytes) || maxAnswerBytes < 1)
    throw new ClientError("option-invalid", {
      detail: "`maxAnswerBytes` must be a whole number of bytes, more than 0.",
    });
  const fetch = options.fetch ?? ((request: Request) => globalThis.fetch(request));
  const token = headerToken(options.token);
  const httpOver = (bounded: (request: Request) => Promise<Response>): Http =>
    createFetchClient<paths>({
      baseUrl: base.href,
      headers: { accept: "application/json", authorization: `Bearer ${token}` },
      // A token is for the service that was named, not for where it points to.
      redirect: "error",
      fetch: bounded,
    });
  const http = httpOver(boundedFetch(fetch, maxAnswerBytes));
  const streaming = httpOver(streamFetch(fetch, maxAnswerBytes));

  const reply = async <Data>(call: CallOptions, isRead: boolean, ask: Ask<Data>): Promise<Answered<Data>> =>
    replyBefore(AbortSignal.timeout(timeoutMs), call, isRead, (init) => ask(http, init));

  const callersOf = ({ signal }: CallOptions): readonly AbortSignal[] =>
    [options.signal, signal].filter((given) => given !== undefined);

  const replyBefore = async <Data>(
    deadline: AbortSignal,
    call: CallOptions,
    isRead: boolean,
    ask: (init: CallInit) => Promise<Reply<Data>>,
  ): Promise<Answered<Data>> => {
    const headers = { ...whyHeaders(options), ...whyHeaders(call) };
    const callers = callersOf(call);
    const any = AbortSignal.any([...callers, deadline]);
    return withRetries(() => once({ callers, deadline }, () => ask({ signal: any, headers })), {
      retries,
      isRead,
      timeoutMs,
      signal: any,
    });
  };

  const once = async <Data>(
    { callers, deadline }: Signals,
    ask: () => Promise<Reply<Data>>,
  ): Promise<Answered<Data>> => {
    const { data, error, response } = await ask().catch((cause: unknown) => {
      const gaveUp = callers.find(({ aborted }) => aborted);
      if (gaveUp !== undefined) throw new ClientError("aborted", { cause: gaveUp.reason });
      if (deadline.aborted)
        throw new ClientError("timed-out", {
          detail: `${base.origin} gave no whole answer within ${timeoutMs / 1000} s.`,
          cause,
        });
      if (cause instanceof ClientError) throw cause;
      // Of a body that is no JSON, or is nested too deep for it; the parser's own message quotes it.
      if (cause instanceof SyntaxError || cause instanceof RangeError) throw unintelligible("the whole of it");
      const wrong = malformed(cause);
      if (wrong !== null) throw unintelligible(wrong);
      throw new ClientError("unreachable", { detail: `${base.origin}: ${reasonOf(cause)}.`, cause });
    });
    if (data !== undefined) return { data, response };
    if (response.ok) throw unintelligible("it is empty");
    const { status } = response;
    const retryAfterSeconds = retryAfter(response.headers.get("retry-after"));
    if (!isProblem(error))
      throw new ClientError("unintelligible", {
        detail: `It answered with status ${status} and no problem description.`,
        status,
        retryAfterSeconds,
      });
    throw problemError(error, { status, retryAfterSeconds });
  };

  return {
    answer: async (name, call, ask, how = WRITES.has(name) ? "writes" : "reads") => {
      const { data } = await reply(call, how === "reads", ask);
      return formed(name, data);
    },
    stream: async (call, ask) => {
      const head = new AbortController();
      const timer = setTimeout(() => {
        head.abort();
      }, timeoutMs);
      try {
        const { data, response } = await replyBefore(head.signal, call, true, (init) => ask(streaming, init));
        if (data !== null && isEventStream(response)) return { bytes: data, callers: callersOf(call) };
        throw unintelligible("it is no stream of events");
      } finally {
        clearTimeout(timer);
      }
    },
    text: async (call, ask) => {
      const { data, response } = await reply(call, true, ask);
      return { text: data, headers: response.headers };
    },
  };
}

/** An answer that is not as described. `what` names a place in it, never what stands there. */
export function unintelligible(what: string): ClientError {
  return new ClientError("unintelligible", { detail: `Not as expected in its answer: ${what}.` });
}

/** Of an actor -> its header, and the form that it must have: one of another form might tell of a person. */
const WHY: Readonly<Record<keyof Why, { readonly header: string; readonly form: RegExp }>> = {
  purpose: { header: "strongroom-purpose", form: /^[a-z0-9.-]{1,64}$/ },
  ticket: { header: "strongroom-ticket", form: /^[A-Za-z0-9._#/-]{1,64}$/ },
  export: {
    header: "strongroom-export",
    form: /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/,
  },
};

function hasWhyForm(name: keyof Why, value: unknown): value is string {
  return typeof value === "string" && WHY[name].form.test(value);
}

/** What was given instead is not shown. Throws ClientError `audit-actor-invalid`. */
function whyHeaders(why: Why): Readonly<Record<string, string>> {
  const headers: Record<string, string> = {};
  for (const [name, { header }] of Object.entries(WHY)) {
    const value: unknown = why[name as keyof Why];
    if (value === undefined) continue;
    if (!hasWhyForm(name as keyof Why, value))
      throw new ClientError("audit-actor-invalid", { detail: `\`${name}\` is not of its form.` });
    headers[header] = value;
  }
  return headers;
}

const validators = new Map<string, Validator>();

function validator(name: string): Validator {
  const known = validators.get(name);
  if (known !== undefined) return known;
  const schema = { $ref: `#/components/schemas/${name}`, components: { schemas: ANSWER_FORMS } };
  const made = new Validator(schema, "2020-12", false);
  validators.set(name, made);
  return made;
}

function hasForm<Name extends keyof Answers>(name: Name, value: unknown): value is Answers[Name] {
  return value !== undefined && validator(name).validate(value).valid;
}

/** What is of the form that the OpenAPI document names. Throws ClientError `unintelligible`. */
export function formed<Name extends keyof Answers>(name: Name, value: unknown): Answers[Name] {
  if (hasForm(name, value)) return value;
  throw unintelligible(wrongParts(name, value));
}

/** Members that a problem document may leave out (RFC 9457, section 3.1). */
const LEFT_OUT: Omit<Answers["Problem"], "code"> = {
  type: "about:blank",
  title: "",
  status: 0,
  detail: "",
  remedy: "",
  requestId: "",
};

export function isProblem(value: unknown): value is ProblemParts {
  return typeof value === "object" && hasForm("Problem", { ...LEFT_OUT, ...value });
}

/** Where an answer differs from its form: the innermost places, as `regions/0/state`. */
function wrongParts(name: string, value: unknown): string {
  const places = validator(name)
    .validate(value)
    .errors.map(({ instanceLocation }) => instanceLocation.replace(/^#\/?/, ""));
  const deepest = [...new Set(places)].filter((place) => !places.some((other) => other.startsWith(`${place}/`)));
  const named = deepest.filter((place) => place !== "").slice(0, 5);
  return named.length === 0 ? "the whole of it" : named.join(", ");
}

/** Option -> what it must be, as far as nothing else looks at it. */
const CHECKS: Readonly<Record<keyof ClientOptions, (value: unknown) => boolean>> = {
  url: () => true,
  token: () => true,
  fetch: (value) => typeof value === "function",
  timeoutMs: (value) => typeof value === "number",
  retries: (value) => typeof value === "number",
  maxAnswerBytes: (value) => typeof value === "number",
  signal: (value) => typeof value === "object" && value !== null && "aborted" in value && "addEventListener" in value,
  purpose: (value) => hasWhyForm("purpose", value),
  ticket: (value) => hasWhyForm("ticket", value),
  export: (value) => hasWhyForm("export", value),
};

/** An option that is misspelt is not in force, and nobody would know. */
function requireOptions(options: unknown): void {
  if (typeof options !== "object" || options === null || Array.isArray(options))
    throw new ClientError("option-invalid", { detail: "The options must be an object." });
  for (const [name, value] of Object.entries(options)) {
    if (value === undefined) continue;
    const check = Object.hasOwn(CHECKS, name) ? CHECKS[name as keyof ClientOptions] : null;
    if (check === null)
      throw new ClientError("option-invalid", {
        detail: `There is no such option; there are: ${Object.keys(CHECKS).join(", ")}.`,
      });
    if (!check(value)) throw new ClientError("option-invalid", { detail: `\`${name}\` is not what it should be.` });
  }
}

function baseUrl(url: string | URL): URL {
  const text = String(url);
  const parsed = URL.canParse(text) ? new URL(text) : null;
  if (parsed === null || !/^https?:$/.test(parsed.protocol) || parsed.username !== "" || parsed.password !== "")
    throw new ClientError("option-invalid", { detail: "`url` must be an http:// or https:// URL without a password." });
  parsed.search = "";
  parsed.hash = "";
  return parsed;
}

/** Fit for an HTTP header. What was given instead is not shown: the platform's own message would quote it. */
function headerToken(token: unknown): string {
  if (typeof token === "string" && /^[\x21-\x7e]{1,512}$/.test(token)) return token;
  throw new ClientError("option-invalid", { detail: "`token` is not a token." });
}

/** What Node and the system call it -> in words. A browser does not tell. */
const REASONS: Readonly<Record<string, string>> = {
  ECONNREFUSED: "nothing listens there",
  ENOTFOUND: "there is no such host",
  EAI_AGAIN: "the host's name cannot be looked up now",
  ECONNRESET: "the connection was closed",
  UND_ERR_SOCKET: "the connection was closed",
};

function reasonOf(error: unknown): string {
  const code = codeOf(error);
  return code === null ? "no connection" : (REASONS[code] ?? code);
}

/** What the platform's parsers call an answer that is none -> in words. */
const MALFORMED: readonly (readonly [code: RegExp, what: string])[] = [
  [/^UND_ERR_HEADERS_OVERFLOW$|^HPE_HEADER_OVERFLOW$/, "its head is too long"],
  [/^HPE_|^UND_ERR_RES_|^ERR_SSL_WRONG_VERSION/, "it is no HTTP"],
  [/^Z_|^ERR_(?:_?ERROR_|BROTLI|ZSTD)|^ZSTD_/, "its compression"],
];

/** What is wrong with the form of an answer; null where there is none, or it ended in the middle. */
function malformed(error: unknown): string | null {
  const code = codeOf(error);
  if (error instanceof Error && error.cause instanceof Error && error.cause.name === "HTTPParserError" && code === null)
    return "it is no HTTP";
  return code === null ? null : (MALFORMED.find(([pattern]) => pattern.test(code))?.[1] ?? null);
}

function codeOf(error: unknown): string | null {
  const inner = error instanceof Error ? (error.cause ?? error) : error;
  const first: unknown = inner instanceof AggregateError ? inner.errors[0] : inner;
  return first instanceof Error && "code" in first && typeof first.code === "string" ? first.code : null;
}
