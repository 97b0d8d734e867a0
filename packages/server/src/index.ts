/**
 * @strongroom/server: the HTTP API of a vault.
 */
export { createServer } from "./server.ts";
export { currentCaller } from "./http/caller.ts";
export type { CurrentCaller } from "./http/caller.ts";
export type { ServerOptions } from "./server.ts";
export type { DiskState, KeyAge } from "./metrics.ts";
export type { Api } from "./api.ts";
export type { BreakerState, RegionCall, RegionCounters, RegionHealth, Regions } from "./regions.ts";
export { DEFAULT_SERVER_LIMITS } from "./limits.ts";
export type { ServerLimits } from "./limits.ts";
export { fileTokens } from "./tokens/file-tokens.ts";
export type { FileTokens, NewToken, NewTokenOptions, TokenInfo } from "./tokens/file-tokens.ts";
export { approversIn, findApprover } from "./tokens/approvers.ts";
export type { Approver } from "./tokens/approvers.ts";
export { SCOPES } from "./tokens/token.ts";
export type { Scope, TokenIdentity, TokenVerifier } from "./tokens/token.ts";
export { SERVER_ERRORS, ServerError } from "./errors.ts";
export type { RequestProblem, ServerErrorCode, ServerErrorDetails } from "./errors.ts";
export type { Problem, ProblemCode } from "./http/problems.ts";
