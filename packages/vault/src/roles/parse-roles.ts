/**
 * Reads roles as they are declared. All that is wrong is told at once: a role that was half understood would allow or
 * deny what nobody meant.
 */
import { ownOptions } from "@strongroom/base/options";
import { isPurpose } from "../collections/purposes.ts";
import { VaultError } from "../errors.ts";
import { isCollection } from "../records/address.ts";
import { EVERYTHING, isPath } from "./paths.ts";
import { ACTIONS, FIELD_ACTIONS, Policy, STANDING_ROLES } from "./policy.ts";
import type { Action, GrantOptions, RoleOptions, Rule } from "./policy.ts";

const ROLE = /^[a-z][a-z0-9-]{0,62}$/;
const FIND_FIELD = "find:";

/** So many roles, grants of a role, and members of a list there may be. */
const MOST_ROLES = 256;
const MOST_GRANTS = 256;
const MOST_LISTED = 256;

/**
 * The policy of these roles, and of those that are always there.
 *
 * @throws VaultError `vault-option-invalid` with everything that is wrong
 * @example
 * ```ts
 * import { isVaultError, parseRoles } from "@strongroom/vault";
 *
 * const policy = parseRoles({
 *   support: {
 *     tokens: ["helpdesk"],
 *     grants: [{ collection: "people", fields: ["name"], actions: ["read"], purposes: ["support"] }],
 *   },
 * });
 * console.log(policy.rolesOf({ id: "4f0c2a91b7de", name: "helpdesk" })); // prints: [ 'support' ]
 * try {
 *   parseRoles({ admin: { grants: [] } });
 * } catch (error) {
 *   console.log(isVaultError(error) && error.code); // prints: vault-option-invalid
 * }
 * ```
 */
export function parseRoles(given: unknown): Policy {
  const names = typeof given === "object" && given !== null ? Object.keys(given) : [];
  const { values, problems: found } = ownOptions(given ?? {}, names, "roles");
  const problems = [...found];
  if (names.length > MOST_ROLES) problems.push(`there are more than ${MOST_ROLES}`);
  const tokens = new Map<string, readonly string[]>();
  const rules: Rule[] = [];
  for (const [role, value] of Object.entries(values).slice(0, MOST_ROLES)) {
    if (STANDING_ROLES.has(role)) problems.push(`${role} is there already, and means what it always has`);
    else if (!ROLE.test(role))
      problems.push(`${JSON.stringify(role.slice(0, 64))} is no name of a role: a small letter, then a-z 0-9 -`);
    else {
      const { own, granted } = parseRole(role, value, problems);
      tokens.set(role, own);
      for (const rule of granted) rules.push(rule);
    }
  }
  if (problems.length > 0) throw new VaultError("vault-option-invalid", `roles: ${problems.join("; ")}`);
  return new Policy(rules, tokens);
}

function parseRole(
  role: string,
  given: unknown,
  problems: string[],
): { readonly own: readonly string[]; readonly granted: readonly Rule[] } {
  const names: readonly (keyof RoleOptions)[] = ["tokens", "grants"];
  const { values, problems: found } = ownOptions(given, names, `the role ${role}`);
  for (const problem of found) problems.push(problem);
  const { tokens, grants } = values;
  const own = listOf(tokens ?? [], (one) => one !== "" && one.length <= 200);
  if (own === null) problems.push(`${role}: tokens must be a list of ids or labels`);
  if (!Array.isArray(grants) || grants.length > MOST_GRANTS) {
    if (found.length === 0) problems.push(`${role}: grants must be a list of up to ${MOST_GRANTS}`);
    return { own: own ?? [], granted: [] };
  }
  const granted = (grants as readonly unknown[]).flatMap((grant, index) =>
    parseGrant({ role, name: `${role}[${index}]` }, grant, problems),
  );
  return { own: own ?? [], granted };
}

function parseGrant(of: Pick<Rule, "role" | "name">, given: unknown, problems: string[]): readonly Rule[] {
  const names: readonly (keyof GrantOptions)[] = ["collection", "fields", "actions", "purposes"];
  const { values, problems: found } = ownOptions(given, names, `the grant ${of.name}`);
  for (const problem of found) problems.push(problem);
  if (found.length > 0) return [];
  const { collection } = values;
  const wrong = (what: string): void => void problems.push(`${of.name}: ${what}`);
  if (collection !== EVERYTHING && !isCollection(collection)) wrong("collection must be a collection's name, or *");
  const fields =
    values["fields"] === undefined ? [] : listOf(values["fields"], (one) => one === EVERYTHING || isPath(one));
  if (fields === null) wrong(`fields must be a list of 1 to ${MOST_LISTED} paths, or *`);
  const purposes = values["purposes"] === undefined ? undefined : listOf(values["purposes"], isPurpose);
  if (purposes === null || purposes?.length === 0) wrong("purposes must be a list of codes (up to 64 of a-z 0-9 . -)");
  const actions = listOf(values["actions"], isActionText);
  if (actions === null || actions.length === 0) wrong(`actions must be some of ${ACTIONS.join(", ")}, find:FIELD`);
  const rule = {
    ...of,
    collection: typeof collection === "string" ? collection : EVERYTHING,
    purposes: purposes ?? null,
  };
  return (actions ?? []).flatMap((text): readonly Rule[] => {
    if (text.startsWith(FIND_FIELD)) return [{ ...rule, action: "find", fields: [text.slice(FIND_FIELD.length)] }];
    const action = text as Action;
    if (FIELD_ACTIONS.has(action)) {
      if (fields?.length === 0) wrong(`${action} needs fields: paths, or *`);
      return [{ ...rule, action, fields: fields ?? [] }];
    }
    // It would be taken for what it cannot be: the erasure of a person is not of one collection.
    if (collection !== EVERYTHING) wrong(`${action} is about the whole vault: its collection must be *`);
    const all = action === "admin" ? ACTIONS : [action];
    return all.map((one) => ({ ...rule, action: one, fields: [EVERYTHING] }));
  });
}

function isActionText(text: string): boolean {
  if (text.startsWith(FIND_FIELD)) return isPath(text.slice(FIND_FIELD.length));
  return (ACTIONS as readonly string[]).includes(text);
}

/** A copy; null: it is none. */
function listOf(given: unknown, is: (text: string) => boolean): readonly string[] | null {
  if (!Array.isArray(given) || given.length > MOST_LISTED) return null;
  const texts = Array.from(given as readonly unknown[]);
  return texts.every((one): one is string => typeof one === "string" && is(one)) ? texts : null;
}
