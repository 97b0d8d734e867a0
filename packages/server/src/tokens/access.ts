/**
 * What a token may ask of a route: by its scopes, as ever; by roles, what the policy of the vault says. Of records the
 * vault itself decides, field by field: here it is only seen whether a token has anything to do with the collection.
 */
import { decide, STANDING_ROLES } from "@strongroom/vault";
import type { Action, Policy } from "@strongroom/vault";
import type { FastifyRequest } from "fastify";
import { ServerError } from "../errors.ts";
import { hasScope } from "./token.ts";
import type { Scope, TokenIdentity } from "./token.ts";

/** What a route needs. */
export interface RouteNeeds {
  /** Of a token with scopes. */
  readonly scope: Scope;
  /** Of a token with roles; left out: the same as the scope. */
  readonly action?: Action | undefined;
  /** Whether the vault decides what a token with roles may do there. */
  readonly isDecidedByVault?: boolean | undefined;
}

/** What a request says that a policy asks for. */
export interface Asked {
  /** Null: it is about none. */
  readonly collection: string | null;
  readonly purpose: string | undefined;
}

/** Everything that a token is: its scopes, the roles that it was made with, and those declared for it. */
export function rolesOf(identity: TokenIdentity, policy: Policy): readonly string[] {
  return [...new Set([...identity.scopes, ...(identity.roles ?? []), ...policy.rolesOf(identity)])];
}

/** @throws ServerError `scope-missing` */
export function requireAccess(
  identity: TokenIdentity,
  policy: Policy,
  { scope, action = scope, isDecidedByVault = false }: RouteNeeds,
  { collection, purpose }: Asked,
): void {
  if (hasScope(identity, scope)) return;
  const roles = rolesOf(identity, policy);
  const declared = roles.filter((role) => !STANDING_ROLES.has(role));
  const isAllowed = isDecidedByVault
    ? policy.isAboutRecords({ roles: declared, collection })
    : decide(policy, { roles, action, collection: "*", purpose }).allowed;
  if (isAllowed) return;
  const held = roles.length === 0 ? "none" : roles.join(", ");
  throw new ServerError("scope-missing", `This needs the scope ${scope}; the token has ${held}`, { scope });
}

/** Whether all that was read of a collection may be told to whoever makes this request. */
export function mayRead(
  { token, headers }: Pick<FastifyRequest, "token" | "headers">,
  policy: Policy,
  collection: string,
): boolean {
  if (token === null) return false;
  const asked = { roles: rolesOf(token, policy), action: "read", collection, purpose: purposeOf({ headers }) } as const;
  return decide(policy, asked).allowed;
}

/** What a request says that it is for: checked where it is told to the audit. */
export function purposeOf({ headers }: Pick<FastifyRequest, "headers">): string | undefined {
  const { "strongroom-purpose": purpose } = headers;
  return typeof purpose === "string" ? purpose.trim() : undefined;
}
