/**
 * The errors of the client: the service's own, as its OpenAPI document lists them, and what happens before an answer
 * is there. One class with a closed choice of codes; its rows have the same columns as those of the service.
 */
import { type ErrorRow, SERVICE_ERRORS } from "./api-tables.ts";
import type { Answers } from "./api-types.ts";

/** A code that the service answers with. */
export type ServiceErrorCode = Answers["ErrorCode"];

/** A code of the client itself. */
export type OwnErrorCode =
  | "unreachable"
  | "timed-out"
  | "unintelligible"
  | "answer-too-large"
  | "aborted"
  | "unknown-code"
  | "option-invalid"
  | "records-damaged";

/** The code of a {@link ClientError}. */
export type ClientErrorCode = ServiceErrorCode | OwnErrorCode;

/**
 * What an error comes to, whatever its code: wrong usage, nothing there, another version than expected, stored data
 * refused, not allowed, not available for now, interrupted, or a failure.
 */
export type Outcome = ErrorRow["outcome"] | "interrupted";

/** What a code means. `status` is that of the service's answer, 0 where there is none. */
export type ClientErrorRow = Readonly<Record<"title" | "remedy", string>> & {
  readonly outcome: Outcome;
  readonly status: number;
};

const OWN_ERRORS: Readonly<Record<OwnErrorCode, ClientErrorRow>> = {
  unreachable: {
    title: "The service cannot be reached",
    remedy: "Check the URL, and that the service runs. A write that was under way may be stored: read before it.",
    outcome: "unavailable",
    status: 0,
  },
  "timed-out": {
    title: "The service did not answer in time",
    remedy: "Try again, or raise `timeoutMs`. A write that was under way may be stored: read the record before it.",
    outcome: "unavailable",
    status: 0,
  },
  unintelligible: {
    title: "What answered is not a Strongroom service",
    remedy: "Check the URL, and what lies between here and the service.",
    outcome: "failure",
    status: 0,
  },
  "answer-too-large": {
    title: "The answer is too large",
    remedy:
      "Check the URL, and what lies between here and the service. Where documents of this size are kept, raise " +
      "`maxAnswerBytes`.",
    outcome: "failure",
    status: 0,
  },
  aborted: {
    title: "The caller gave up",
    remedy: "Nothing to do. A write that was under way may be stored.",
    outcome: "interrupted",
    status: 0,
  },
  "unknown-code": {
    title: "The service refused the request",
    remedy: "`reportedCode` is the service's own; a newer version of this client knows what it means.",
    outcome: "failure",
    status: 0,
  },
  "records-damaged": {
    title: "Some records cannot be given: they are not as they were stored",
    remedy: "The detail names them; all the others were given. Restore them from a trusted backup.",
    outcome: "refused",
    status: 0,
  },
  "option-invalid": {
    title: "An option of the client is not valid",
    remedy: "Correct the option named in the detail.",
    outcome: "usage",
    status: 0,
  },
};

/** Code -> what it means: the service's rows and the client's. */
export const CLIENT_ERRORS: Readonly<Record<ClientErrorCode, ClientErrorRow>> = { ...SERVICE_ERRORS, ...OWN_ERRORS };

/** What a {@link ClientError} may carry beside its code. */
export interface ClientErrorDetails {
  /** The HTTP status that was answered; left out: there was no answer. */
  readonly status?: number | undefined;
  /** Replace the row's. */
  readonly title?: string | undefined;
  readonly remedy?: string | undefined;
  readonly outcome?: Outcome | undefined;
  readonly detail?: string | undefined;
  readonly reportedCode?: string | undefined;
  readonly problems?: readonly { readonly path: string; readonly message: string }[] | undefined;
  readonly regions?: readonly { readonly region: string; readonly reason: string }[] | undefined;
  readonly requestId?: string | undefined;
  readonly currentVersion?: number | null | undefined;
  readonly retryAfterSeconds?: number | null | undefined;
  readonly cause?: unknown;
}

/**
 * Why a call failed. It holds neither the token nor anything of a document.
 *
 * @example
 * ```ts
 * import { ClientError } from "@strongroom/client";
 *
 * // What a test's stand-in for the service throws.
 * const error = new ClientError("version-conflict", { status: 412, currentVersion: 4 });
 * console.log(error.outcome, error.currentVersion); // prints: conflict 4
 * ```
 */
export class ClientError extends Error {
  override readonly name: string = "ClientError";
  readonly code: ClientErrorCode;
  /** The code as the service gave it; differs from `code` where that is `unknown-code`. */
  readonly reportedCode: string;
  /** The HTTP status that was answered, null where there was no answer. */
  readonly status: number | null;
  /** What happened, in a few words that do not change with the input. */
  readonly title: string;
  /** What is the matter this time. */
  readonly detail: string | null;
  /** What to do. */
  readonly remedy: string;
  /** What it comes to: `unavailable` may pass by itself, the others do not. */
  readonly outcome: Outcome;
  /** Parts of the request that are wrong. */
  readonly problems: readonly { readonly path: string; readonly message: string }[];
  /** What each region said. */
  readonly regions: readonly { readonly region: string; readonly reason: string }[];
  /** Names the request in the service's log. */
  readonly requestId: string | null;
  /** `version-conflict`: the version there is, null for no record. Undefined for other codes. */
  readonly currentVersion: number | null | undefined;
  /** How long the service asks to wait before the call is sent again, null where it does not. */
  readonly retryAfterSeconds: number | null;

  constructor(code: ClientErrorCode, details: ClientErrorDetails = {}) {
    const row = CLIENT_ERRORS[code];
    const { title = row.title, detail, cause } = details;
    super(detail === undefined ? title : `${title}: ${detail}`, cause === undefined ? undefined : { cause });
    this.code = code;
    this.reportedCode = details.reportedCode ?? code;
    this.status = details.status ?? null;
    this.title = title;
    this.detail = detail ?? null;
    this.remedy = details.remedy ?? row.remedy;
    this.outcome = details.outcome ?? row.outcome;
    this.problems = details.problems ?? [];
    this.regions = details.regions ?? [];
    this.requestId = details.requestId ?? null;
    this.currentVersion = details.currentVersion;
    this.retryAfterSeconds = details.retryAfterSeconds ?? null;
  }
}

/**
 * Whether an error is a {@link ClientError}, also one of another copy of this package: told by its form, not its class.
 *
 * @example
 * ```ts
 * import { ClientError, isClientError } from "@strongroom/client";
 *
 * const mayPass = (error: unknown): boolean => isClientError(error) && error.outcome === "unavailable";
 * console.log(mayPass(new ClientError("regions-unavailable"))); // prints: true
 * console.log(mayPass(new Error("something else"))); // prints: false
 * ```
 */
export function isClientError(error: unknown): error is ClientError {
  return (
    error instanceof Error &&
    error.name === "ClientError" &&
    "code" in error &&
    typeof error.code === "string" &&
    "outcome" in error &&
    typeof error.outcome === "string"
  );
}

/** A problem document: of its members only the code is needed, something between here and the service may write it. */
export type ProblemParts = Partial<Answers["Problem"]> & Pick<Answers["Problem"], "code">;

/** The error that a problem document (RFC 9457) of the service tells. */
export function problemError(
  problem: ProblemParts,
  { status, retryAfterSeconds }: { readonly status: number; readonly retryAfterSeconds: number | null },
): ClientError {
  const { code, title, detail, remedy, requestId, problems, regions, currentVersion } = problem;
  const told = {
    status,
    title,
    remedy,
    requestId,
    problems,
    regions,
    currentVersion,
    retryAfterSeconds,
    reportedCode: code,
  };
  // A detail that only repeats the title says nothing.
  const details: ClientErrorDetails = detail === title ? told : { ...told, detail };
  return Object.hasOwn(SERVICE_ERRORS, code)
    ? new ClientError(code, details)
    : new ClientError("unknown-code", { ...details, outcome: usualOutcome(code, status) });
}

/** Codes that say that stored data was refused, whatever their status. */
const REFUSED_CODE = /^record-(?:moved|rolled-back|tampered)/;

/** What a status comes to that no known code has: a proxy in front of the service may give it. */
const OUTCOME_BY_STATUS: Readonly<Record<number, Outcome>> = {
  411: "usage",
  414: "usage",
  422: "usage",
  429: "unavailable",
  499: "interrupted",
  502: "unavailable",
  504: "unavailable",
};

/** Of a code that a newer service has: as its name says, as the known codes of its status come to, or by the status. */
function usualOutcome(code: string, status: number): Outcome {
  if (REFUSED_CODE.test(code)) return "refused";
  const outcomes = new Set(
    Object.values(SERVICE_ERRORS).flatMap((row) => (row.status === status ? [row.outcome] : [])),
  );
  const [outcome] = outcomes;
  if (outcome !== undefined && outcomes.size === 1) return outcome;
  return OUTCOME_BY_STATUS[status] ?? "failure";
}
