/**
 * The server's limits of size and time.
 */
import { wholeNumbers } from "@strongroom/base/options";
import { DEFAULT_VAULT_LIMITS } from "@strongroom/vault";

export interface ServerLimits {
  /** Bytes of the body of a PUT. */
  readonly documentBytes: number;
  /** Bytes of the body of a batch. */
  readonly batchBytes: number;
  /** Records of one batch. */
  readonly batchItems: number;
  /** Items of one page of a list. */
  readonly listItems: number;
  /** Bytes of the request line and the headers together. */
  readonly headerBytes: number;
  /** Milliseconds until a request must have arrived whole. */
  readonly receiveMs: number;
  /** Milliseconds until a request that has arrived is answered or given up. */
  readonly answerMs: number;
  /** Milliseconds that an idle connection is kept. */
  readonly keepAliveMs: number;
}

export const DEFAULT_SERVER_LIMITS: ServerLimits = {
  documentBytes: DEFAULT_VAULT_LIMITS.documentBytes,
  batchBytes: 8 * 1024 * 1024,
  batchItems: DEFAULT_VAULT_LIMITS.batchItems,
  listItems: DEFAULT_VAULT_LIMITS.listItems,
  headerBytes: 16 * 1024,
  receiveMs: 10_000,
  answerMs: 30_000,
  keepAliveMs: 72_000,
};

/** The limits over their defaults; what is wrong with them is added to `problems`. */
export function parseServerLimits(given: unknown, problems: string[]): ServerLimits {
  const found: string[] = [];
  const limits = wholeNumbers(given, DEFAULT_SERVER_LIMITS, { what: "limits", kind: "a limit", problems: found });
  for (const problem of found) problems.push(`limits: ${problem}`);
  return limits;
}
