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
  /** Milliseconds that an answer may make no progress before its connection is ended: nobody reads it. */
  readonly stallMs: number;
  /** Milliseconds until an answer must have been read whole. */
  readonly sendMs: number;
  /** Connections at once. */
  readonly connections: number;
  /** Records that are worked on at once: a request counts one, a batch as many as the vault takes of it at once. */
  readonly atOnce: number;
  /** The same of requests that wait for their turn. */
  readonly waiting: number;
  /** Longest that one waits, in milliseconds. */
  readonly waitMs: number;
  /** Requests of one token at once, from their first byte to the last of their answers. */
  readonly perToken: number;
  /** Finds of one token in a minute, and as many at once. A write that is refused for a value that is taken is one. */
  readonly findsPerMinute: number;
  /** Answers at once that go on until the client ends them: of those who follow a run. */
  readonly streams: number;
  /** The same of one token. */
  readonly streamsPerToken: number;
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
  stallMs: 10_000,
  sendMs: 60_000,
  connections: 4096,
  /**
   * By Little's law, records a second times the seconds that one takes: 100 writes a second to regions of which the
   * farthest answers after 160 ms, and more than one core can do when they are near. What is more than that makes every
   * request slower, and a slow call to a region looks like a lost one.
   */
  atOnce: 16,
  /** Nearly as much as can be done in `waitMs` where the regions are near. */
  waiting: 112,
  waitMs: 500,
  /** Three quarters of `atOnce` and `waiting`: one token alone uses the service fully and cannot fill it. */
  perToken: 96,
  /** More than a whole support desk asks by one token, and a million guesses take more than a day. */
  findsPerMinute: 600,
  streams: 32,
  streamsPerToken: 8,
};

/** The limits over their defaults; what is wrong with them is added to `problems`. */
export function parseServerLimits(given: unknown, problems: string[]): ServerLimits {
  const found: string[] = [];
  const limits = wholeNumbers(given, DEFAULT_SERVER_LIMITS, { what: "limits", kind: "a limit", problems: found });
  for (const problem of found) problems.push(`limits: ${problem}`);
  return limits;
}
