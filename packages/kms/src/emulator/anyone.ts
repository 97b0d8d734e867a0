// The emulator's authenticator: it believes what a request says of its sender, and checks nothing. Emulators of AWS do
// so, and test suites written for them sign with made-up keys, or not at all.

import { rootArn } from "../auth/principal-arn.ts";
import type { Authenticator } from "../auth/authenticator.ts";
import { principalOf } from "../auth/principals.ts";
import type { KnownKey } from "../auth/principals.ts";
import { valuesOf } from "../protocol/exchange.ts";
import type { RequestView } from "../protocol/exchange.ts";

/** What a request says of its signature's scope; nothing of it is verified. */
export interface ClaimedScope {
  readonly accessKeyId: string;
  readonly region: string;
  readonly service: string;
}

const CREDENTIAL = /Credential=([^\s,/]{1,128})\/\d{8}\/([^\s,/]{1,64})\/([^\s,/]{1,64})\/aws4_request\b/;

/** The scope of a request that is signed in its header or its query; null of any other. */
export function claimedScope(request: RequestView): ClaimedScope | null {
  const header = valuesOf(request, "authorization")[0];
  const query = new URLSearchParams(request.query).get("X-Amz-Credential");
  const [, accessKeyId, region, service] = CREDENTIAL.exec(header ?? `Credential=${query ?? ""}`) ?? [];
  return accessKeyId === undefined || region === undefined || service === undefined
    ? null
    : { accessKeyId, region, service };
}

/** Lets in everyone: the principal of a known access key as that principal, all others as the account's root. */
export function anyone(known: readonly KnownKey[], account: string): Authenticator {
  const keys = new Map(known.map((key) => [key.accessKeyId, key]));
  const principal = principalOf(rootArn(account), []);
  return (request) => {
    const accessKeyId = claimedScope(request)?.accessKeyId ?? "unsigned";
    const unknown = { accessKeyId, secretAccessKey: "", sessionToken: null, expiresAt: null, principal };
    return { key: keys.get(accessKeyId) ?? unknown, signedHeaders: () => [] };
  };
}
