/**
 * Refusals that never came to the vault: no token or a wrong one, a token without the scope, more than the service can
 * do, what is no request. They are counted, and the audit is told of each kind once a minute at most: a flood of them
 * fills nothing.
 */
import type { AuditAction, Vault } from "@strongroom/vault";
import type { FastifyBaseLogger } from "fastify";
import { SERVER_ERRORS } from "../errors.ts";
import type { ServerErrorCode } from "../errors.ts";
import { NOBODY, principalOf } from "./actor.ts";

/** How often the audit is told, in milliseconds. */
const TELL_EVERY_MS = 60_000;
/** So many kinds in a minute at most; what is beyond them is counted without its principal. */
const MOST_KINDS = 1000;

/** A refused request. */
export interface RefusedRequest {
  /** With what it ended. */
  readonly code: string;
  /** Whose token it showed; null: none that is known. */
  readonly tokenId: string | null;
  readonly method: string;
  /** The pattern of its route; null: there is none. */
  readonly route: string | null;
}

/** What was counted of one kind. */
interface Kind {
  readonly principal: string;
  readonly action: AuditAction;
  readonly result: string;
  count: number;
  /** Milliseconds since the epoch: of the first one. */
  since: number;
}

/** Codes that are told of whoever shows a token: it is known, and wanted what it may not. */
const OF_KNOWN: ReadonlySet<string> = new Set<ServerErrorCode>(["scope-missing", "find-limit"]);
/** Codes that are told of nobody, beside those of wrong usage. */
const OF_NOBODY: ReadonlySet<string> = new Set<ServerErrorCode>([
  "token-missing",
  "token-invalid",
  "overloaded",
  "token-limit",
  "host-not-allowed",
  "origin-not-allowed",
  "request-timeout",
]);

/** Method and route -> what was to be done; every other one is `administration`. */
const ACTIONS: Readonly<Record<string, AuditAction>> = {
  "GET /v1/records/:collection/:id": "read",
  "HEAD /v1/records/:collection/:id": "read",
  "GET /v1/records/:collection/:id/versions": "history",
  "GET /v1/records/:collection/:id/versions/:version": "read",
  "PUT /v1/records/:collection/:id": "write",
  "POST /v1/records/:collection": "write",
  "POST /v1/records/:collection/find": "find",
  "POST /v1/records/:collection/find/count": "find",
  "POST /v1/records/:collection/find/explain": "find",
  "POST /v1/subjects/rectify": "rectify",
  "DELETE /v1/records/:collection/:id": "remove",
  "GET /v1/records/:collection": "list",
  "GET /v1/audit": "audit-read",
  "GET /v1/audit/access-log": "audit-read",
};

/** Counts them, and tells of them. */
export class RefusalTally {
  readonly #vault: Pick<Vault, "as">;
  readonly #log: FastifyBaseLogger;
  readonly #everyMs: number;
  #kinds = new Map<string, Kind>();
  #timer: NodeJS.Timeout | null = null;

  constructor(vault: Pick<Vault, "as">, log: FastifyBaseLogger, everyMs: number = TELL_EVERY_MS) {
    this.#vault = vault;
    this.#log = log;
    this.#everyMs = everyMs;
  }

  /** Counts one, if it is of these. */
  note({ code, tokenId, method, route }: RefusedRequest): void {
    if (tokenId !== null && OF_KNOWN.has(code))
      this.#count(principalOf(tokenId), ACTIONS[`${method} ${route ?? ""}`] ?? "administration", code);
    else if (OF_NOBODY.has(code) || isWrongUsage(code)) this.#count(NOBODY.principal, "unauthenticated", code);
  }

  /** Tells of what was counted. What the audit cannot take is counted on. */
  async flush(): Promise<void> {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    const counted = [...this.#kinds.values()];
    this.#kinds = new Map();
    const until = new Date().toISOString();
    for (const { principal, action, result, count, since } of counted) {
      try {
        const details = { count, since: new Date(since).toISOString(), until };
        await this.#vault.as({ principal }).audit?.tell(action, result, { details });
      } catch {
        this.#log.warn({ action, result, count }, "the audit did not take what was refused: it is told later");
        this.#count(principal, action, result, { count, since });
      }
    }
  }

  #count(
    principal: string,
    action: AuditAction,
    result: string,
    { count, since } = { count: 1, since: Date.now() },
  ): void {
    const key = `${principal} ${action} ${result}`;
    const kind = this.#kinds.get(key);
    if (kind !== undefined) {
      kind.count += count;
      kind.since = Math.min(kind.since, since);
    } else if (this.#kinds.size >= MOST_KINDS && principal !== NOBODY.principal)
      this.#count(NOBODY.principal, "unauthenticated", result, { count, since });
    else this.#kinds.set(key, { principal, action, result, count, since });
    this.#timer ??= setTimeout(() => void this.flush(), this.#everyMs).unref();
  }
}

function isWrongUsage(code: string): boolean {
  return Object.hasOwn(SERVER_ERRORS, code) && SERVER_ERRORS[code as ServerErrorCode].outcome === "usage";
}
