/**
 * What the routes share: the typed application, what each request carries, and what a route says of itself.
 */
import type {
  FastifyBaseLogger,
  FastifyInstance,
  RawReplyDefaultExpression,
  RawRequestDefaultExpression,
  RawServerDefault,
} from "fastify";
import type { ZodTypeProvider } from "fastify-type-provider-zod";
import type { Action, Policy, Vault } from "@strongroom/vault";
import type { Streams } from "./admission/streams.ts";
import type { AuditLook } from "./audit/audit-look.ts";
import type { RunFeed } from "./convergence/run-feed.ts";
import type { ServerLimits } from "./limits.ts";
import type { IndexWorks } from "./search/index-work.ts";
import type { ProbedRegions } from "./regions.ts";
import type { Scope, TokenIdentity, TokenVerifier } from "./tokens/token.ts";

export type Api = FastifyInstance<
  RawServerDefault,
  RawRequestDefaultExpression,
  RawReplyDefaultExpression,
  FastifyBaseLogger,
  ZodTypeProvider
>;

/** What routes ask of the vault itself. Records are asked for on behalf of a caller (`actingOf`), and no other way. */
export type AskedVault = Omit<
  Vault,
  | ("get" | "find" | "countFound" | "explainFind" | "history" | "list" | "collection" | "debts")
  | ("put" | "putMany" | "prepare" | "withTransaction" | "remove")
>;

export interface ApiContext {
  readonly vault: AskedVault;
  /** Who may do what. */
  readonly policy: Policy;
  readonly regions: ProbedRegions;
  readonly limits: ServerLimits;
  readonly audit: AuditLook;
  readonly tokens: TokenVerifier;
  readonly feed: RunFeed;
  readonly streams: Streams;
  readonly indexWorks: IndexWorks;
}

declare module "fastify" {
  interface FastifyContextConfig {
    /** What a token needs for this route. Every route under /v1 has one. */
    scope?: Scope;
    /** What a token with roles needs; left out: the same as the scope. */
    action?: Action;
    /** Whether the vault decides what a token with roles may do: records, field by field. */
    isDecidedByVault?: boolean;
    /** Whether the route acts on behalf of its caller; left out: it does if it takes a place while it works. */
    isActing?: boolean;
    /** Whether its answer goes on until the client ends it, which is no failure then. */
    isStream?: boolean;
  }
  interface FastifyRequest {
    /** Who asks; null before authentication and on public routes. */
    token: TokenIdentity | null;
    /** Code of the problem that the request ended with, for its log line. */
    problemCode: string | null;
    /** Records that the answer names as damaged, for its log line and the metrics. */
    damaged: number;
    /** Values of unique fields that others have, as the answer tells. */
    taken: number;
    /** Triggered when the client is gone or the deadline has passed. */
    deadline: AbortSignal;
  }
}
