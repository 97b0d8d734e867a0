/**
 * On whose behalf a request is answered, and why, as its entries in the audit have it: the id of its token, and what
 * its headers say. A token's name is told once, sealed, and is in no other entry.
 */
import { VaultError } from "@strongroom/vault";
import type { Actor } from "@strongroom/vault";
import type { TokenIdentity } from "../tokens/token.ts";

/** The headers that say why something is done. */
export interface ActorHeaders {
  /** A code that the collection declares. */
  readonly "strongroom-purpose"?: string | undefined;
  /** What it is done for, in another system. */
  readonly "strongroom-ticket"?: string | undefined;
  /** The export that a read is a part of. */
  readonly "strongroom-export"?: string | undefined;
}

/** Of requests that show no token, or one that nobody knows. */
export const NOBODY: Actor = { principal: "anonymous" };

/** Header -> what of an actor it is, and the form that it must have. A text of another form might tell of a person. */
const FORMS = {
  "strongroom-purpose": { member: "purpose", form: /^[a-z0-9.-]{1,64}$/, what: "1 to 64 characters of a-z 0-9 . -" },
  "strongroom-ticket": {
    member: "ticket",
    form: /^[A-Za-z0-9._#/-]{1,64}$/,
    what: "1 to 64 characters of A-Z a-z 0-9 . _ # / -",
  },
  "strongroom-export": {
    member: "export",
    form: /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/,
    what: "a UUID of version 4 in lower case",
  },
} as const satisfies Readonly<
  Record<keyof ActorHeaders, { readonly member: keyof Actor; readonly form: RegExp; readonly what: string }>
>;

/** The forms as patterns, for the description of the API. */
export const ACTOR_PATTERNS: Readonly<Record<keyof ActorHeaders, string>> = {
  "strongroom-purpose": FORMS["strongroom-purpose"].form.source,
  "strongroom-ticket": FORMS["strongroom-ticket"].form.source,
  "strongroom-export": FORMS["strongroom-export"].form.source,
};

/** @throws VaultError `audit-actor-invalid` */
export function actorOf({ id }: Pick<TokenIdentity, "id">, headers: ActorHeaders): Actor {
  const said: Partial<Record<"purpose" | "ticket" | "export", string>> = {};
  for (const [header, { member, form, what }] of Object.entries(FORMS)) {
    const value = headers[header as keyof ActorHeaders]?.trim();
    if (value === undefined) continue;
    if (!form.test(value)) throw new VaultError("audit-actor-invalid", `The header ${header} must be ${what}`);
    said[member] = value;
  }
  return { principal: principalOf(id), ...said };
}

/** A token as the audit calls it. */
export function principalOf(tokenId: string): string {
  return `token:${tokenId}`;
}
