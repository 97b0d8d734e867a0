// What the driver, the system or the server says of a connection that did not come to be, as an error that says what to
// do. The server's own words are shown cut and escaped: whoever answers at its address wrote them.
import { systemErrorCode } from "@strongroom/base/files";
import { shown } from "@strongroom/base/shown";
import { placeText, type PostgresPlace } from "../config/store-url.ts";
import { CLI_ERRORS, CliError, type CliErrorCode } from "../errors.ts";
import { aboutSettings, type ConfiguredPlace } from "./which.ts";

/** One kind of failure. */
interface Failure {
  readonly code: CliErrorCode;
  /** What happened; left out: what was said. */
  readonly says?: (place: PostgresPlace) => string;
  /** Replaces the code's remedy. */
  readonly remedy?: (place: PostgresPlace) => string;
}

/** SQLSTATE, or the system's or TLS's code -> what it is. */
const FAILURES: Readonly<Record<string, Failure>> = {
  "28P01": {
    code: "store-login-refused",
    says: ({ user }) => `The password of ${user} is not the right one.`,
  },
  "28000": {
    code: "store-login-refused",
    remedy: () =>
      "Make the user (create role … login), or allow it from this machine in the server's pg_hba.conf, by " +
      "scram-sha-256 and over TLS (hostssl).",
  },
  "3D000": {
    code: "store-unprepared",
    says: ({ database }) => `There is no database ${database}.`,
    remedy: ({ database, user }) =>
      `Make it on the server, create database ${quoted(database)} owner ${quoted(user)}, or correct its name in ` +
      "store.url; then strongroom store migrate.",
  },
  "42501": {
    code: "store-login-refused",
    remedy: ({ user }) =>
      `Grant ${quoted(user)} what it needs, or let it own the database: docs/operations.md lists the privileges.`,
  },
  "25006": {
    code: "store-unfit",
    says: () => "It is read-only: a standby, or default_transaction_read_only is on.",
    remedy: () => "Name the primary in store.url, or end what makes it read-only.",
  },
  "53300": {
    code: "store-unreachable",
    says: () => "It has as many connections as it may have.",
    remedy: () => "Let store.poolSize times the processes be less than the server's max_connections, or raise that.",
  },
  "57P03": {
    code: "store-unreachable",
    says: () => "It starts, ends or recovers, and takes no connections.",
    remedy: () => "Wait for the server, and look into its log if it lasts.",
  },
  ENOTFOUND: { code: "store-unreachable", says: ({ host }) => `There is no host ${host}.` },
  EAI_AGAIN: { code: "store-unreachable", says: ({ host }) => `The name ${host} cannot be looked up now.` },
  ECONNREFUSED: { code: "store-unreachable", says: () => "Nothing listens there." },
  ENOENT: { code: "store-unreachable", says: ({ host }) => `There is no socket of a server in ${host}.` },
  EACCES: { code: "store-unreachable", says: ({ host }) => `The socket in ${host} may not be used.` },
  ECONNRESET: { code: "store-unreachable", says: () => "The connection was ended from there." },
  EHOSTUNREACH: { code: "store-unreachable", says: () => "There is no way to the host." },
  ENETUNREACH: { code: "store-unreachable", says: () => "There is no way to the host's network." },
  ETIMEDOUT: { code: "store-unreachable", says: () => "It did not answer in time." },
  ERR_TLS_CERT_ALTNAME_INVALID: {
    code: "store-unauthenticated",
    says: ({ host }) => `Its certificate is not for ${host}.`,
    remedy: () => "Name the server in store.url as its certificate does, or give it a certificate with this name.",
  },
  CERT_HAS_EXPIRED: {
    code: "store-unauthenticated",
    says: () => "Its certificate has expired.",
    remedy: () => "Give the server a new certificate.",
  },
};

/** What the driver says without a code. */
const MESSAGES: readonly (readonly [RegExp, Failure])[] = [
  [
    /does not support SSL/i,
    {
      code: "store-unauthenticated",
      says: () => "It offers no TLS.",
      remedy: () =>
        "Switch it on there: ssl = on, ssl_cert_file and ssl_key_file in postgresql.conf. On this machine " +
        "alone, ?sslmode=disable does without it.",
    },
  ],
  [/timeout expired|timeout exceeded/i, { code: "store-unreachable", says: () => "It did not answer in time." }],
  [
    /terminated unexpectedly|establishing an SSL/i,
    { code: "store-unreachable", says: () => "It ended the connection." },
  ],
  [/no such database/i, { code: "store-unprepared" }],
  [/password authentication failed|auth failed|no such user|SASL/i, { code: "store-login-refused" }],
];

/** Codes of Node for a certificate that nobody who is believed has signed. */
const UNTRUSTED = /^(?:DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_|CERT_|ERR_TLS_|ERR_SSL_|HOSTNAME_)/;

const UNPROVEN: Failure = {
  code: "store-unauthenticated",
  says: () => "Nobody who is believed here has signed its certificate.",
};

/** The error to show for what a connection or a question to `place` failed with. A CliError stays what it is. */
export function connectionFailed(cause: unknown, { place, setting }: ConfiguredPlace): CliError {
  if (cause instanceof CliError) return cause;
  const said = cause instanceof Error ? shown(cause.message) : "no reason was given";
  const { code, says, remedy } = knownFailure(cause) ?? { code: "store-unreachable" };
  return new CliError(code, {
    detail: `${placeText(place)}: ${says?.(place) ?? `${said.replace(/\.$/, "")}.`}`,
    remedy: aboutSettings(remedy?.(place) ?? CLI_ERRORS[code].remedy, setting),
    cause,
  });
}

/** Null: it is none of these. */
function knownFailure(cause: unknown): Failure | null {
  const code = codeOf(cause);
  if (code !== null && Object.hasOwn(FAILURES, code)) return FAILURES[code] ?? null;
  if (code !== null && UNTRUSTED.test(code)) return UNPROVEN;
  const message = cause instanceof Error ? cause.message : "";
  return MESSAGES.find(([pattern]) => pattern.test(message))?.[1] ?? null;
}

/** Whether a question failed for the connection's sake, and not for its own. */
export function isConnectionFailure(cause: unknown): boolean {
  return knownFailure(cause) !== null;
}

/** Of the error, or of the first that it gathers: a name with several addresses fails with one error for each. */
function codeOf(cause: unknown): string | null {
  const inner: unknown = cause instanceof AggregateError ? cause.errors[0] : cause;
  return systemErrorCode(cause) ?? systemErrorCode(inner);
}

/** A name as SQL takes it. */
/** A name as SQL has it. */
export const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`;
