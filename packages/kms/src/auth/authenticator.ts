// Who sent a request. Which authenticator a server has is settled when it is made: the one here, or, of the emulator,
// the one of emulator/anyone.ts. No request and no option decides between them later.

import type { RegionRequest } from "../protocol/exchange.ts";
import { readClaims } from "./claims.ts";
import type { KnownKey } from "./principals.ts";
import { verifySignature } from "./signature.ts";

/** Who sent a request. */
export interface Sender {
  readonly key: KnownKey;
  /** The headers that a verified signature covers, in lower case. */
  readonly signedHeaders: () => readonly string[];
}

/**
 * The sender of a request.
 * @param now the server's time, milliseconds.
 * @throws AwsError for a request that is not let in.
 */
export type Authenticator = (request: RegionRequest, now: number) => Sender;

/** Lets in who signed with one of these access keys, for the region that the request came to. */
export function signedWith(known: readonly KnownKey[]): Authenticator {
  const keys = new Map(known.map((key) => [key.accessKeyId, key]));
  return (request, now) => {
    const expected = { region: request.region, service: "kms", now };
    const key = verifySignature(request, expected, (id) => keys.get(id) ?? null);
    return { key, signedHeaders: () => readClaims(request).signedHeaders };
  };
}
