// `strongroom token …`: the tokens that programs show to the service. They work on the data folder's token file, on the
// service's machine; a running service sees a change within a second. A new token is printed once, to standard output
// alone, and kept nowhere.
import { someOf, text, texts } from "@strongroom/base/command";
import { printable, renderTable } from "@strongroom/base/terminal";
import type { FileTokens, Scope, TokenIdentity } from "@strongroom/server";
import type { RolesOptions } from "@strongroom/vault";
import { command, type CommandSpec, type Invocation, option, type OptionTable } from "../command.ts";
import { prepareDataFolder } from "../data-folder.ts";
import { CliError } from "../errors.ts";
import { writeOutput } from "../input-output.ts";

const SCOPES: readonly Scope[] = ["read", "write", "audit", "admin"];

/** `strongroom token create`. */
export const tokenCreateCommand: CommandSpec = command({
  name: "token create",
  args: "<name>",
  heading: "Looking after it",
  summary: "make a token; it is printed this once",
  flagGroups: [],
  options: {
    scope: option(
      "--scope <scope...>",
      "read, write, audit or admin; repeat for several (default: read, without a role)",
      someOf(SCOPES),
    ),
    role: option("--role <role...>", "a role of the setting roles; repeat for several", texts()),
    output: option("-o, --output <file>", "write the token to a file (mode 0600) instead of printing it", text()),
  },
  examples: [
    {
      line: "npx strongroom token create billing --scope read write --output billing.token",
      meaning: "for a service that reads and writes",
    },
    { line: "npx strongroom token create backup", meaning: "read only, printed" },
    { line: "npx strongroom token create helpdesk --role support", meaning: "what the role support may, and no more" },
  ],
  run: async (invocation) => {
    const [name = ""] = invocation.args;
    const { terminal } = invocation.context;
    const tokens = await tokensOf(invocation);
    const { role: roles = [] } = invocation.options;
    requireRoles(roles, invocation.loaded.config.roles);
    const scopes = invocation.options.scope ?? (roles.length === 0 ? (["read"] as const) : []);
    const { token, identity } = await tokens.create({ name, scopes, roles });
    const file = invocation.options.output;
    if (file !== undefined) {
      await writeOutput(file, `${token}\n`, invocation.context).catch(async (cause: unknown) => {
        await tokens.revoke(identity.id);
        const reason = cause instanceof CliError ? (cause.detail ?? cause.title) : `${file}.`;
        throw new CliError("output-failed", { detail: `${reason} The token was revoked again.`, cause });
      });
    }
    const { id } = identity;
    const place = file === undefined ? "" : `, in ${file}`;
    terminal.say(`Token ${id} for ${printable(name)}, ${heldBy(identity)}. It is shown this once${place}.`);
    const own = { id, name, scopes, ...(roles.length === 0 ? {} : { roles }) };
    const shown = file === undefined ? { ...own, token } : { ...own, file };
    if (file === undefined || terminal.mode === "json") terminal.result(shown, () => token);
  },
});

/** `strongroom token list`. */
export const tokenListCommand: CommandSpec = command({
  name: "token list",
  heading: "Looking after it",
  summary: "list the tokens (not the tokens themselves, which are not kept)",
  flagGroups: [],
  options: {},
  examples: [{ line: "npx strongroom token list", meaning: "id, name and scopes of each" }],
  run: async (invocation) => {
    const tokens = await (await tokensOf(invocation)).list();
    invocation.context.terminal.result({ tokens }, (shown) =>
      renderTable(
        [{ heading: "ID" }, { heading: "NAME" }, { heading: "SCOPES" }, { heading: "ROLES" }, { heading: "MADE" }],
        shown.tokens.map(({ id, name, scopes, roles = [], createdAt }) => [
          ...[id, name, scopes.join(", ") || "-", roles.join(", ") || "-", createdAt],
        ]),
        invocation.context.terminal.width,
      ),
    );
  },
});

/** `strongroom token revoke`. */
export const tokenRevokeCommand: CommandSpec = command({
  name: "token revoke",
  args: "<id>",
  heading: "Looking after it",
  summary: "revoke a token; a running service refuses it within a second",
  flagGroups: [],
  options: {},
  examples: [{ line: "npx strongroom token revoke 4f0c2a91b7de", meaning: "the id is that of strongroom token list" }],
  run: async (invocation) => {
    const [id = ""] = invocation.args;
    const revoked = await (await tokensOf(invocation)).revoke(id);
    invocation.context.terminal.result(
      { revoked },
      (shown) => `Token ${shown.revoked.id} (${shown.revoked.name}) is revoked.`,
    );
  },
});

/** What a token has, for a person. */
function heldBy({ scopes, roles = [] }: TokenIdentity): string {
  const parts = [
    ...(scopes.length === 0 ? [] : [`scopes ${scopes.join(", ")}`]),
    ...(roles.length === 0 ? [] : [`roles ${roles.join(", ")}`]),
  ];
  return parts.join(", ");
}

/** That a role is one: a token with a role that is misspelt could do nothing. Throws `config-invalid`. */
function requireRoles(roles: readonly string[], declared: RolesOptions): void {
  const unknown = roles.filter((role) => !Object.hasOwn(declared, role));
  if (unknown.length === 0) return;
  throw new CliError("config-invalid", {
    detail: `The setting roles has no ${unknown.map((role) => printable(role)).join(", ")}.`,
    remedy: "Declare the role, or name one of those that strongroom policy show lists.",
  });
}

/** The tokens of the data folder of a command. */
export async function tokensOf<Table extends OptionTable>({ loaded }: Invocation<Table>): Promise<FileTokens> {
  const { folder } = await prepareDataFolder(loaded.config.dataDir);
  const { openTokens } = await import("../installation/tokens.ts");
  return openTokens(folder);
}
