/**
 * API tokens: `srt_` and 32 random bytes in base64url. Only their SHA-256 is kept: 256 random bits need no slow hash.
 */
import { hash, randomBytes } from "node:crypto";

export const SCOPES = ["read", "write", "admin"] as const;
export type Scope = (typeof SCOPES)[number];

/** Scope -> scopes that it includes. */
const INCLUDED: Readonly<Record<Scope, readonly Scope[]>> = {
  read: ["read"],
  write: ["write"],
  admin: ["read", "write", "admin"],
};

/** Who makes a request. */
export interface TokenIdentity {
  readonly id: string;
  readonly name: string;
  readonly scopes: readonly Scope[];
}

/** Tells whose a token is. Implementations compare in constant time. */
export interface TokenVerifier {
  /** The token's identity, null when it is not valid. */
  verify(token: string): Promise<TokenIdentity | null>;
}

export function newToken(): string {
  return `srt_${randomBytes(32).toString("base64url")}`;
}

/** SHA-256, hex. */
export function hashToken(token: string): string {
  return hash("sha256", token, "hex");
}

export function hasScope({ scopes }: TokenIdentity, scope: Scope): boolean {
  return scopes.some((held) => INCLUDED[held].includes(scope));
}
