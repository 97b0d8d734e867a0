/**
 * Bearer tokens (RFC 6750), checked in `onRequest`: before a byte of the body is read, and before anything is looked
 * up, so that who may not ask learns nothing about what is there.
 */
import type { FastifyRequest } from "fastify";
import { ServerError } from "../errors.ts";
import { hasScope } from "../tokens/token.ts";
import type { Scope, TokenIdentity, TokenVerifier } from "../tokens/token.ts";

const BEARER = /^bearer +([A-Za-z0-9._~+/-]+=*)$/i;

/** @throws ServerError `token-missing`, `token-invalid`, `tokens-unreadable` */
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

/** @throws ServerError `scope-missing` */
export function requireScope(identity: TokenIdentity, scope: Scope): void {
  if (!hasScope(identity, scope)) {
    throw new ServerError(
      "scope-missing",
      `This needs the scope ${scope}; the token has ${identity.scopes.join(", ")}`,
      { scope },
    );
  }
}
