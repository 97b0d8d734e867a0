// On whose behalf a call is made: a service that calls with one access key says which of its own callers and requests
// the call is for, in two headers. What the signature covers, the holder of the access key vouches for, and it is part
// of the identity; what it does not cover is only a claim.

import { valuesOf } from "../protocol/exchange.ts";
import type { RequestView } from "../protocol/exchange.ts";

/** Headers that a service sends. AWS's own KMS takes no notice of them. */
const CALLER_HEADERS = { session: "x-strongroom-session", requestId: "x-strongroom-request-id" } as const;

/** The characters of AWS's session names and source identities, and those of paths. */
const NAME = /^[\w+=,.@:/-]{1,64}$/;

/** Who a call is said to be for. */
export interface Caller {
  /** Whether the request's signature covers all that is said. */
  readonly signed: boolean;
  /** Of the service's own caller; null if none is named. */
  readonly session: string | null;
  /** Of the service's own request; null if none is named. */
  readonly requestId: string | null;
}

/** Reads it from a request that was let in; null if nothing is said, or not in this form. */
export function callerOf(request: RequestView, signedHeaders: () => readonly string[]): Caller | null {
  const said = Object.values(CALLER_HEADERS).filter((name) => request.headers.has(name));
  if (said.length === 0) return null;
  const covered = signedHeaders();
  const signed = said.every((name) => covered.includes(name));
  const [session, requestId] = [one(request, CALLER_HEADERS.session), one(request, CALLER_HEADERS.requestId)];
  return session === null && requestId === null ? null : { signed, session, requestId };
}

function one(request: RequestView, name: string): string | null {
  const [value = "", ...others] = valuesOf(request, name);
  return others.length === 0 && NAME.test(value) ? value : null;
}
