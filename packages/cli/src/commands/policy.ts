// `strongroom policy …`: what the setting `roles` allows, and why. They read the configuration and the token file, ask
// no service and open no database.
import { oneOfOr, text, texts } from "@strongroom/base/command";
import { printable, renderTable, type Terminal } from "@strongroom/base/terminal";
import { ACTIONS, type Action, decide, parseRoles, type Policy, type Rule, seen } from "@strongroom/vault";
import { command, type CommandSpec, option } from "../command.ts";
import { CliError } from "../errors.ts";
import { tokensOf } from "./token.ts";

/** `strongroom policy test`. */
export const policyTestCommand: CommandSpec = command({
  name: "policy test",
  heading: "Looking after it",
  summary: "say whether a token or a role may do something, and which rule decides",
  description:
    "Ends with exit code 0 whether it is allowed or not; --json has `allowed`. What no rule allows is denied. A " +
    "field's mask is the one that its collection declares.",
  flagGroups: [],
  options: {
    token: option("--token <name>", "the id or the label of a token", text()),
    role: option("--role <role...>", "a role; repeat for several", texts()),
    collection: option("--collection <name>", "the collection; left out: all", text()),
    action: option("--action <action>", `one of ${ACTIONS.join(", ")} (default: read)`, oneOfOr("read", ACTIONS)),
    field: option("--field <path>", "the field, as address.postcode; left out: the whole document", text()),
    purpose: option("--purpose <code>", "what it is for", text()),
  },
  examples: [
    {
      line: "npx strongroom policy test --role support --collection customers --action read --field email",
      meaning: "whether support sees e-mail addresses in clear",
    },
    {
      line: "npx strongroom policy test --token helpdesk --collection customers --action write --purpose support",
      meaning: "whether a token may write whole documents",
    },
  ],
  run: async (invocation) => {
    const { options, context, loaded } = invocation;
    const { roles: declared, collections } = loaded.config;
    const { token, role: named = [], collection = "*", action, field, purpose } = options;
    if (token === undefined && named.length === 0)
      throw new CliError("config-invalid", {
        title: "Nobody is named",
        detail: "Whose rights are asked for is not said.",
        remedy: "Name a token (--token) or a role (--role).",
      });
    const policy = parseRoles(declared);
    const held = token === undefined ? [] : rolesOfToken(policy, token, await (await tokensOf(invocation)).list());
    const roles = [...new Set([...named, ...held])];
    const asked = { roles, collection, field, purpose };
    const { allowed, rule, why } = decide(policy, { ...asked, action });
    const declaredFields = collections[collection]?.fields ?? {};
    const result = {
      ...{ allowed, action, collection, field: field ?? "*", purpose: purpose ?? null, roles },
      ...{ rule: rule === null ? null : ruleShown(rule), why, seen: seen(policy, asked, declaredFields) },
    };
    context.terminal.result(result, () => decisionView(result, context.terminal));
  },
});

/** `strongroom policy show`. */
export const policyShowCommand: CommandSpec = command({
  name: "policy show",
  heading: "Looking after it",
  summary: "list the rules, one a line: role, collection, fields, action, purposes",
  flagGroups: [],
  options: { role: option("--role <role...>", "of these roles alone; repeat for several", texts()) },
  examples: [
    { line: "npx strongroom policy show", meaning: "every rule, those of the scopes too" },
    { line: "npx strongroom policy show --role support --json", meaning: "one role, for a program" },
  ],
  run: async ({ context, options, loaded }) => {
    const policy = parseRoles(loaded.config.roles);
    const rules = policy.rules.filter(({ role }) => options.role?.includes(role) ?? true).map(ruleShown);
    const roles = policy.roles.filter((role) => options.role?.includes(role) ?? true);
    const tokens = Object.fromEntries(roles.map((role) => [role, policy.tokensOf(role)]));
    context.terminal.result({ rules, tokens }, () => rulesView(rules, tokens, context.terminal));
  },
});

/** A token as the token file lists it. */
interface Held {
  readonly id: string;
  readonly name: string;
  readonly scopes: readonly string[];
  readonly roles?: readonly string[];
}

/** Of all tokens of that id or label: which of them is meant is not known. Throws `token-absent`. */
function rolesOfToken(policy: Policy, wanted: string, tokens: readonly Held[]): readonly string[] {
  const found = tokens.filter(({ id, name }) => id === wanted || name === wanted);
  if (found.length === 0)
    throw new CliError("token-absent", {
      detail: `No token has the id or the label ${printable(wanted)}.`,
      remedy: "strongroom token list names them; --role asks for a role without a token.",
    });
  if (found.length > 1)
    throw new CliError("token-absent", {
      title: "Several tokens have that label",
      detail: `They are ${found.map(({ id }) => id).join(", ")}.`,
      remedy: "Name one of them by its id.",
    });
  return found.flatMap((token) => [...token.scopes, ...(token.roles ?? []), ...policy.rolesOf(token)]);
}

/** A rule as it is shown. */
interface ShownRule {
  readonly rule: string;
  readonly role: string;
  readonly action: Action;
  readonly collection: string;
  readonly fields: readonly string[];
  /** Null: for any. */
  readonly purposes: readonly string[] | null;
}

const ruleShown = ({ name: rule, role, action, collection, fields, purposes }: Rule): ShownRule => ({
  ...{ rule, role, action, collection, fields, purposes },
});

/** What a decision is, for a person. */
interface ShownDecision {
  readonly allowed: boolean;
  readonly action: Action;
  readonly collection: string;
  readonly field: string;
  readonly purpose: string | null;
  readonly roles: readonly string[];
  readonly why: string;
  readonly seen: string;
}

function decisionView(
  { allowed, action, collection, field, purpose, roles, why, seen: shown }: ShownDecision,
  terminal: Terminal,
): string {
  const rows: readonly (readonly [string, string])[] = [
    ["roles", roles.map((role) => printable(role)).join(", ") || "none"],
    ["action", action],
    ["collection", printable(collection)],
    ["field", printable(field)],
    ["purpose", purpose === null ? "none" : printable(purpose)],
    ["decision", terminal.style(allowed ? "green" : "red", allowed ? "allowed" : "denied")],
    ["because", printable(why, 400)],
    ["sees", shown === "clear" || shown === "nothing" || shown === "part" ? shown : `masked (${shown})`],
  ];
  return renderTable(
    [{ heading: "ASKED" }, { heading: "" }],
    rows.map(([name, value]) => [name, value]),
    terminal.width,
  );
}

function rulesView(
  rules: readonly ShownRule[],
  tokens: Readonly<Record<string, readonly string[]>>,
  terminal: Terminal,
): string {
  const table = renderTable(
    [
      { heading: "RULE" },
      { heading: "COLLECTION" },
      { heading: "FIELDS" },
      { heading: "ACTION" },
      { heading: "PURPOSES" },
    ],
    rules.map(({ rule, collection, fields, action, purposes }) => [
      ...[rule, collection, fields.map((path) => printable(path)).join(", "), action],
      purposes === null ? "any" : purposes.join(", "),
    ]),
    terminal.width,
  );
  const named = Object.entries(tokens).filter(([, list]) => list.length > 0);
  const lines = named.map(([role, list]) => `${role}: also tokens ${list.map((one) => printable(one)).join(", ")}`);
  return [table, ...lines].join("\n");
}
