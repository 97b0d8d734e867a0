/**
 * Who may do what: rules, and the decision over one question. Rules only ever allow, and what no rule allows is denied.
 * Nothing is looked up here, and nothing is remembered.
 */
import { covers, EVERYTHING } from "./paths.ts";

/**
 * What a rule can allow. `read:masked` shows fields as their declaration masks them; `erase`, `audit`, `keys` and
 * `admin` are about the whole vault, and `admin` includes all others.
 */
export const ACTIONS = ["read", "read:masked", "write", "find", "erase", "audit", "keys", "admin"] as const;
/** One of {@link ACTIONS}. */
export type Action = (typeof ACTIONS)[number];

/** Actions on fields of documents. */
export const FIELD_ACTIONS: ReadonlySet<Action> = new Set<Action>(["read", "read:masked", "write", "find"]);

/** What one role may, as it is written down. */
export interface GrantOptions {
  /** A collection's name, or `*`. */
  readonly collection: string;
  /**
   * Paths of fields, of each with all that lies in it; `*`: all. Needed for `read`, `read:masked`, `write` and `find`.
   * `read:masked` of `*` shows the fields that the collection declares.
   */
  readonly fields?: readonly string[];
  /** `find:FIELD` is to find by that one field. */
  readonly actions: readonly (Action | `find:${string}`)[];
  /** Only for these. Left out: for any, and where none is said. */
  readonly purposes?: readonly string[];
}

/** A role, as it is written down. */
export interface RoleOptions {
  /** Ids or labels of tokens that have the role, beside those that were made with it. */
  readonly tokens?: readonly string[];
  readonly grants: readonly GrantOptions[];
}

/** Roles by their names: `[a-z][a-z0-9-]{0,62}`, none of `read`, `write`, `audit`, `admin`. */
export type RolesOptions = Readonly<Record<string, RoleOptions>>;

/** One rule: a grant of a role, cut to one action. */
export interface Rule {
  /** Where it stands: `support[0]`; of the roles that are always there, their name. */
  readonly name: string;
  readonly role: string;
  readonly action: Action;
  readonly collection: string;
  /** `*` stands for all. */
  readonly fields: readonly string[];
  /** Null: for any. */
  readonly purposes: readonly string[] | null;
}

/** What is asked of a policy. */
export interface PolicyRequest {
  readonly roles: readonly string[];
  readonly action: Action;
  /** `*`: of any. */
  readonly collection: string;
  /** Left out, or `*`: the whole of a document. */
  readonly field?: string | undefined;
  readonly purpose?: string | undefined;
}

/** What a policy says. */
export interface Decision {
  readonly allowed: boolean;
  /** The rule that allows it; null: none does. */
  readonly rule: Rule | null;
  /** For a person. */
  readonly why: string;
}

const ruleOf = (role: string, action: Action): Rule => ({
  ...{ name: role, role, action, collection: EVERYTHING, fields: [EVERYTHING], purposes: null },
});

/** Roles that are always there: what tokens could be made with before there were others. */
const STANDING: readonly Rule[] = [
  ruleOf("read", "read"),
  ruleOf("write", "write"),
  ruleOf("audit", "audit"),
  ...ACTIONS.map((action) => ruleOf("admin", action)),
];

/** Names of the roles that are always there. */
export const STANDING_ROLES: ReadonlySet<string> = new Set(STANDING.map(({ role }) => role));

/** Action -> actions that allow it too: whoever sees a field in clear may find by it and see less of it. */
const ALLOWED_BY: Readonly<Partial<Record<Action, readonly Action[]>>> = {
  "read:masked": ["read"],
  find: ["read"],
};

/** Rules, and which tokens have which roles. Made by `parseRoles`. */
export class Policy {
  readonly rules: readonly Rule[];
  readonly #tokens: ReadonlyMap<string, readonly string[]>;

  /** @param rules of the roles that were declared @param tokens role -> ids and labels of tokens that have it */
  constructor(rules: readonly Rule[] = [], tokens: ReadonlyMap<string, readonly string[]> = new Map()) {
    this.rules = [...STANDING, ...rules];
    this.#tokens = tokens;
  }

  /** Names of the roles that there are. */
  get roles(): readonly string[] {
    return [...new Set([...STANDING_ROLES, ...this.#tokens.keys(), ...this.rules.map(({ role }) => role)])];
  }

  /** Roles that are declared for a token, beside those that it was made with. */
  rolesOf({ id, name }: { readonly id: string; readonly name: string }): readonly string[] {
    const named = [...this.#tokens].filter(([, tokens]) => tokens.includes(id) || tokens.includes(name));
    return named.map(([role]) => role);
  }

  /** Ids and labels of tokens that a role is declared for. */
  tokensOf(role: string): readonly string[] {
    return this.#tokens.get(role) ?? [];
  }

  /** Whether roles say anything of the records of a collection; null: of any. */
  isAboutRecords({
    roles,
    collection,
  }: {
    readonly roles: readonly string[];
    readonly collection: string | null;
  }): boolean {
    return this.rules.some(
      (rule) =>
        FIELD_ACTIONS.has(rule.action) &&
        roles.includes(rule.role) &&
        (collection === null || rule.collection === EVERYTHING || rule.collection === collection),
    );
  }

  /** Rules that say something of a collection to whoever has these roles and this purpose. */
  rulesFor({ purpose, ...of }: Pick<PolicyRequest, "roles" | "collection" | "purpose">): readonly Rule[] {
    return this.rulesForAny(of).filter(
      ({ purposes }) => purposes === null || (purpose !== undefined && purposes.includes(purpose)),
    );
  }

  /** The same for whatever purpose. */
  rulesForAny({ roles, collection }: Pick<PolicyRequest, "roles" | "collection">): readonly Rule[] {
    return this.rules.filter(
      (rule) => roles.includes(rule.role) && (rule.collection === EVERYTHING || rule.collection === collection),
    );
  }
}

/**
 * Whether somebody may do something, and which rule says so.
 *
 * @example
 * ```ts
 * import { decide, parseRoles } from "@strongroom/vault";
 *
 * const policy = parseRoles({
 *   support: { grants: [{ collection: "people", fields: ["email"], actions: ["read:masked"] }] },
 * });
 * const asked = { roles: ["support"], collection: "people", field: "email" } as const;
 * console.log(decide(policy, { ...asked, action: "read:masked" }).allowed); // prints: true
 * console.log(decide(policy, { ...asked, action: "read" }).allowed); // prints: false
 * ```
 */
export function decide(policy: Policy, request: PolicyRequest): Decision {
  const { action, field = EVERYTHING } = request;
  const actions = [action, ...(ALLOWED_BY[action] ?? [])];
  const rule = policy
    .rulesFor(request)
    .find(
      (one) =>
        actions.includes(one.action) && (!FIELD_ACTIONS.has(action) || one.fields.some((path) => covers(path, field))),
    );
  if (rule !== undefined) return { allowed: true, rule, why: `${rule.name} allows ${rule.action}` };
  return { allowed: false, rule: null, why: whyNot(policy, request) };
}

/** The nearest that there is to a rule. */
function whyNot(policy: Policy, { roles, action, collection, field = EVERYTHING, purpose }: PolicyRequest): string {
  const unknown = roles.filter((role) => !policy.roles.includes(role));
  if (roles.length === 0) return "there is no role, and what no rule allows is denied";
  if (unknown.length === roles.length) return "no role of that name is declared";
  const own = policy.rules.filter(
    (rule) => roles.includes(rule.role) && (rule.action === action || ALLOWED_BY[action]?.includes(rule.action)),
  );
  if (own.length === 0) return `no rule of these roles is about ${action}`;
  const here = own.filter((rule) => rule.collection === EVERYTHING || rule.collection === collection);
  if (here.length === 0) return `no rule of these roles about ${action} is for ${collection}`;
  const reaches = here.filter((rule) => rule.fields.some((path) => covers(path, field)));
  const what = field === EVERYTHING ? "the whole document" : field;
  if (reaches.length === 0) return `${here.map(({ name }) => name).join(", ")} do not reach ${what}`;
  const said = purpose === undefined ? "none was said" : `${purpose} is none of them`;
  return `${reaches.map(({ name }) => name).join(", ")} are for some purposes alone, and ${said}`;
}
