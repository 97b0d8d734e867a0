/**
 * API tokens: `srt_` and 32 random bytes in base64url, what one allows, and how a request shows it. Only their SHA-256
 * is kept: 256 random bits need no slow hash.
 */
import { hash, randomBytes, timingSafeEqual } from "node:crypto";
import type { FastifyRequest } from "fastify";
import { ServerError } from "../errors.ts";

/** What a token can allow: `audit`, to read who did what; `admin` includes all others. */
export const SCOPES = ["read", "write", "audit", "admin"] as const;
/** One of {@link SCOPES}. */
export type Scope = (typeof SCOPES)[number];

/** Scope -> scopes that it includes. */
const INCLUDED: Readonly<Record<Scope, readonly Scope[]>> = {
  read: ["read"],
  write: ["write"],
  audit: ["audit"],
  admin: ["read", "write", "audit", "admin"],
};

/** Who makes a request. */
export interface TokenIdentity {
  /**
   * Names it for ever, and nobody: the audit has it in clear, as `token:ID`. 1 to 122 characters of
   * `A-Za-z0-9._:@/+=-`.
   */
  readonly id: string;
  /** For a person to read. The audit has it sealed. */
  readonly name: string;
  readonly scopes: readonly Scope[];
  /** Roles of the vault's policy that it was made with. Left out: none. */
  readonly roles?: readonly string[];
}

/** Tells whose a token is. Implementations compare in constant time. */
export interface TokenVerifier {
  /** The token's identity, null when it is not valid. */
  verify(token: string): Promise<TokenIdentity | null>;
}

/** A token that nobody has. */
export function newToken(): string {
  return `srt_${randomBytes(32).toString("base64url")}`;
}

/** SHA-256, hex. */
export function hashToken(token: string): string {
  return hash("sha256", token, "hex");
}

/** Which of them has the hash. All are compared: the time says nothing about which, or how far, it matched. */
export function sameHash<Kept extends { readonly hash: string }>(all: readonly Kept[], hashed: string): Kept | null {
  const presented = Buffer.from(hashed, "hex");
  let found: Kept | null = null;
  for (const one of all) if (timingSafeEqual(presented, Buffer.from(one.hash, "hex"))) found = one;
  return found;
}

/** Whether a token allows this. */
export function hasScope({ scopes }: TokenIdentity, scope: Scope): boolean {
  return scopes.some((held) => INCLUDED[held].includes(scope));
}

const BEARER = /^bearer +([A-Za-z0-9._~+/-]+=*)$/i;

/**
 * Whose bearer token (RFC 6750) the request shows. Checked in `onRequest`: before a byte of the body is read, and
 * before anything is looked up, so that who may not ask learns nothing about what is there.
 *
 * @throws ServerError `token-missing`, `token-invalid`, `tokens-unreadable`
 */
export async function authenticate(request: FastifyRequest, tokens: TokenVerifier): Promise<TokenIdentity> {
  const { authorization } = request.headers;
  if (authorization === undefined) throw new ServerError("token-missing", "The request has no Authorization header");
  const token = BEARER.exec(authorization)?.[1];
  if (token === undefined)
    throw new ServerError("token-missing", "The Authorization header is not of the form `Bearer srt_…`");
  const identity = await tokens.verify(token);
  if (identity === null) throw new ServerError("token-invalid", "The service does not know this token");
  return identity;
}
