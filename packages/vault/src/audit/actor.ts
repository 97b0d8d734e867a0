/**
 * On whose behalf something is done: checked once, before any of it is in an entry.
 */
import { ownOptions } from "@strongroom/base/options";
import { VaultError } from "../errors.ts";
import { isSubjectId } from "../stores/subjects.ts";
import type { Actor } from "./auditor.ts";

/** Whether it is the name of a principal. */
export const isPrincipal = (value: string): boolean => /^[A-Za-z0-9._:@/+=-]{1,128}$/.test(value);

/** Member of an actor -> whether a value will do. */
const MEMBERS: Readonly<Record<keyof Actor, (value: string) => boolean>> = {
  principal: isPrincipal,
  purpose: (value) => /^[a-z0-9.-]{1,64}$/.test(value),
  ticket: (value) => /^[A-Za-z0-9._#/-]{1,64}$/.test(value),
  // Of the same form as every random id of a vault.
  export: isSubjectId,
};

/**
 * A copy of an actor that nobody changes afterwards.
 *
 * @throws VaultError `audit-actor-invalid`; the message names what is wrong and never its value
 */
export function parseActor(given: unknown): Actor {
  const { values, problems } = ownOptions(given, Object.keys(MEMBERS), "an actor");
  const wrong = Object.entries(MEMBERS).filter(([member, is]) => {
    const value = values[member];
    return value === undefined ? member === "principal" : typeof value !== "string" || !is(value);
  });
  const all = [...problems, ...wrong.map(([member]) => `${member} is not one`)];
  if (all.length > 0) throw new VaultError("audit-actor-invalid", `On whose behalf: ${all.join("; ")}`);
  return values as unknown as Actor;
}

/** Names of what the vault does by itself. */
export const RESERVED = "strongroom:";

/**
 * The same of a caller, who does not go by the name of the vault's own doings.
 *
 * @throws VaultError `audit-actor-invalid`
 */
export function parseCaller(given: unknown): Actor {
  const actor = parseActor(given);
  if (!actor.principal.startsWith(RESERVED)) return actor;
  throw new VaultError("audit-actor-invalid", `On whose behalf: no caller's principal begins with ${RESERVED}`);
}
