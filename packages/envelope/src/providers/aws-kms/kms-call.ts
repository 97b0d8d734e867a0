/**
 * One call to AWS KMS: its answer is held against what was asked for, and a failure gets its name, by the error's name,
 * its socket code or its HTTP status. The names in the tables are those of the AWS KMS API reference ("Errors" of each
 * operation, "Common Errors") and of node's sockets.
 */
import type { RegionFailureKind } from "../../errors.ts";
import { isBytes, listOf, text } from "../../options.ts";
import type { Reader } from "../../options.ts";
import type { Answered, CallAnswer, CallFailure } from "../../resilience/calls.ts";

/** Grant tokens as a request has them: absent when there are none. */
export interface Grants {
  readonly GrantTokens?: string[];
}

export function grantsOf(grantTokens: readonly string[]): Grants {
  return grantTokens.length === 0 ? {} : { GrantTokens: [...grantTokens] };
}

/** Of a call that two keys are needed for. */
export function grantsOfBoth({ GrantTokens: own = [] }: Grants, { GrantTokens: others = [] }: Grants): Grants {
  return grantsOf([...new Set([...own, ...others])].slice(0, MOST_GRANT_TOKENS));
}

const MOST_GRANT_TOKENS = 10;
const readTokens = listOf(text);

/** The option `grantTokens`: AWS KMS takes at most ten. */
export const grantTokenList: Reader<readonly string[]> = (value, name, problems) => {
  const tokens = readTokens(value, name, problems);
  if (tokens.length > MOST_GRANT_TOKENS) problems.push(`${name} must be a list of at most ${MOST_GRANT_TOKENS}`);
  return tokens;
};

/** An answer that is wrong in a way that has a name. */
export function wrong(failed: RegionFailureKind): CallFailure {
  return { failed, errorName: null };
}

/**
 * Sends a call and checks what comes back. Never rejects. A client's error object is not kept: it may carry the raw
 * answer, and that holds a key.
 *
 * @param check holds the answer against what was asked for, and takes out of it what is needed
 * @param discard wipes an answer that is not used
 */
export async function askKms<A, T>(
  send: () => Promise<A>,
  check: (answer: A) => CallAnswer<T>,
  discard: (answer: A) => void,
): Promise<CallAnswer<T>> {
  let answer: A;
  try {
    answer = await send();
  } catch (error) {
    return { failed: failureKind(error), errorName: errorName(error), ...requestIdOf(error) };
  }
  // An answer that is not what its type says is the service's failure, never an exception that nobody waits for.
  if (typeof answer !== "object" || answer === null) return wrong("server-error");
  const checked = checkedOrMalformed(check, answer);
  if ("failed" in checked) discard(answer);
  return { ...checked, ...requestIdOf(answer) };
}

/** AWS's are UUIDs; others' are cut off where they are too long for a log. */
const REQUEST_ID = /^[\w.:-]{1,128}$/;

/** The id by which the service's own log has the call; clients that are none of the SDK's may give none. */
function requestIdOf(answer: unknown): Answered {
  try {
    const requestId = asErrorLike(answer)?.$metadata?.requestId;
    return typeof requestId === "string" && REQUEST_ID.test(requestId) ? { requestId } : {};
  } catch {
    return {};
  }
}

function checkedOrMalformed<A, T>(check: (answer: A) => CallAnswer<T>, answer: A): CallAnswer<T> {
  try {
    return check(answer);
  } catch {
    return wrong("unknown");
  }
}

/** AWS's are 64 hexadecimal digits. */
const MATERIAL_ID = /^[\w.:-]{1,128}$/;

/** A value, and the material that its key had for it where the service tells. */
export function ofMaterial<T>(value: T, material: unknown): CallAnswer<T> {
  return typeof material === "string" && MATERIAL_ID.test(material) ? { value, material } : { value };
}

/** For `discard`: every answer with a secret has it in a field of its own. */
export function wipeField(bytes: Uint8Array | undefined): void {
  if (isBytes(bytes)) bytes.fill(0);
}

const BY_NAME: Readonly<Record<string, RegionFailureKind>> = {
  ThrottlingException: "throttled",
  Throttling: "throttled",
  TooManyRequestsException: "throttled",
  RequestLimitExceeded: "throttled",
  LimitExceededException: "throttled",
  AccessDeniedException: "access-denied",
  AccessDenied: "access-denied",
  NotAuthorized: "access-denied",
  OptInRequired: "access-denied",
  ExpiredTokenException: "credentials",
  ExpiredToken: "credentials",
  RequestExpired: "credentials",
  UnrecognizedClientException: "credentials",
  InvalidClientTokenId: "credentials",
  InvalidSignatureException: "credentials",
  SignatureDoesNotMatch: "credentials",
  IncompleteSignature: "credentials",
  IncompleteSignatureException: "credentials",
  MissingAuthenticationToken: "credentials",
  MissingAuthenticationTokenException: "credentials",
  CredentialsProviderError: "credentials",
  TokenProviderError: "credentials",
  DisabledException: "key-disabled",
  NotFoundException: "key-not-found",
  InvalidCiphertextException: "invalid-ciphertext",
  IncorrectKeyException: "invalid-ciphertext",
  KMSInternalException: "server-error",
  DependencyTimeoutException: "server-error",
  KeyUnavailableException: "server-error",
  InternalFailure: "server-error",
  ServiceUnavailable: "server-error",
  ServiceUnavailableException: "server-error",
  SyntaxError: "server-error",
  TimeoutError: "timeout",
  RequestTimeout: "timeout",
  RequestTimeoutException: "timeout",
};

const BY_SOCKET_CODE: Readonly<Record<string, RegionFailureKind>> = {
  ECONNREFUSED: "refused",
  ECONNRESET: "refused",
  // A Unix socket that is not there.
  ENOENT: "refused",
  ECONNABORTED: "refused",
  EPIPE: "refused",
  ENOTFOUND: "refused",
  EAI_AGAIN: "refused",
  EHOSTUNREACH: "refused",
  ENETUNREACH: "refused",
  ETIMEDOUT: "timeout",
};

interface ErrorLike {
  readonly name?: unknown;
  readonly code?: unknown;
  readonly message?: unknown;
  readonly cause?: unknown;
  readonly errors?: unknown;
  readonly $metadata?: { readonly httpStatusCode?: unknown; readonly requestId?: unknown };
}

export function failureKind(error: unknown): RegionFailureKind {
  const like = asErrorLike(error);
  if (like === null) return "unknown";
  // One exception for two states: only its text tells a key that is going away from one that is not usable now.
  if (like.name === "KMSInvalidStateException") {
    return /pending ?deletion/i.test(String(like.message)) ? "key-pending-deletion" : "key-disabled";
  }
  return lookUp(BY_NAME, like.name) ?? socketKind(like) ?? statusKind(like.$metadata?.httpStatusCode) ?? "unknown";
}

/** The class name of an error, for people: never its text, which a service wrote. */
export function errorName(error: unknown): string | null {
  const name = asErrorLike(error)?.name;
  return typeof name === "string" && /^[\w.$-]{1,64}$/.test(name) ? name : null;
}

/** Sockets hide their code behind AggregateError (several addresses) and `cause`. */
function socketKind(error: ErrorLike): RegionFailureKind | undefined {
  const several: readonly unknown[] = Array.isArray(error.errors) ? error.errors : [];
  const codes = [error.code, asErrorLike(error.cause)?.code, ...several.map((each) => asErrorLike(each)?.code)];
  return codes.map((code) => lookUp(BY_SOCKET_CODE, code)).find((kind) => kind !== undefined);
}

function statusKind(status: unknown): RegionFailureKind | undefined {
  if (typeof status !== "number") return undefined;
  if (status === 429) return "throttled";
  if (status === 403) return "access-denied";
  return status >= 500 ? "server-error" : undefined;
}

function lookUp(table: Readonly<Record<string, RegionFailureKind>>, key: unknown): RegionFailureKind | undefined {
  return typeof key === "string" && Object.hasOwn(table, key) ? table[key] : undefined;
}

function asErrorLike(error: unknown): ErrorLike | null {
  return typeof error === "object" && error !== null ? error : null;
}
