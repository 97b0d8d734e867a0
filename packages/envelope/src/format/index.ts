/**
 * @strongroom/envelope/format: the message format's algorithm suites, limits and structures.
 */
export { ALGORITHM_SUITES, DEFAULT_LIMITS } from "./suites.ts";
export type {
  AlgorithmSuite,
  AlgorithmSuiteName,
  CommittingSuiteName,
  MessageLimits,
  NonCommittingSuiteName,
} from "./suites.ts";
export type { CanonicalContext } from "./encryption-context.ts";
export type { EncryptedDataKey } from "./header.ts";
