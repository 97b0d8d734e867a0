/**
 * @strongroom/envelope/aws-sdk: for the ordinary client of @aws-sdk/client-kms, so that the plaintext keys it carries
 *   are bytes that can be wiped, and are wiped on their way.
 */
export { keysAsBytes } from "./aws-sdk/keys-as-bytes.ts";
export type { SdkClient, SdkMiddlewareStack } from "./aws-sdk/middleware.ts";
export { WIPING_AGENT_DEFAULTS, wipingAgents } from "./aws-sdk/wiping-agents.ts";
export type { WipingAgents } from "./aws-sdk/wiping-agents.ts";
