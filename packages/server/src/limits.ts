/**
 * The server's limits of size and time.
 */
import { DEFAULT_VAULT_LIMITS } from "@strongroom/vault";
import { ServerError } from "./errors.ts";

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

/** @throws ServerError `option-invalid` listing every limit that is wrong */
export function parseServerLimits(given: Partial<ServerLimits> = {}): ServerLimits {
  const problems = Object.entries(given).flatMap(([name, value]: [string, unknown]) => {
    if (!Object.hasOwn(DEFAULT_SERVER_LIMITS, name)) return [`${name} is not a limit`];
    return Number.isSafeInteger(value) && (value as number) >= 1 ? [] : [`${name} must be a whole number from 1`];
  });
  if (problems.length > 0) throw new ServerError("option-invalid", `limits: ${problems.join("; ")}`);
  return { ...DEFAULT_SERVER_LIMITS, ...given };
}
