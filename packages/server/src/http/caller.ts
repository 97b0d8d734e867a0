/**
 * Which request is being answered, wherever its work has come to: what the keys of the service are asked for can then
 * be put on record as what this token and this request asked for.
 */
import { AsyncLocalStorage } from "node:async_hooks";

/** The request that is being answered. */
export interface CurrentCaller {
  /** The id of its token. */
  readonly tokenId: string;
  /** As in the service's log and in the header `request-id`. */
  readonly requestId: string;
}

const callers = new AsyncLocalStorage<CurrentCaller>();

/** Runs the rest of a request as its caller's. */
export function runAs(caller: CurrentCaller, rest: () => void): void {
  callers.run(caller, rest);
}

/**
 * The request on whose behalf this runs, null outside of one.
 *
 * @example
 * ```ts
 * import { currentCaller } from "@strongroom/server";
 *
 * console.log(currentCaller()); // prints: null
 * ```
 */
export function currentCaller(): CurrentCaller | null {
  return callers.getStore() ?? null;
}
