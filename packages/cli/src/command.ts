// The frame of a command, with the configuration of an installation; and what commands have alike: the service that
// they call, and the pages of a listing.
import * as frame from "@strongroom/base/command";
import { printable } from "@strongroom/base/terminal";
import type { Client, Damaged, Listing, Page, Why } from "@strongroom/client";
import type { LoadedConfig } from "./config/load.ts";
import { asCliError, clientOf, findConnection } from "./connection.ts";
import { CliError } from "./errors.ts";

export { option } from "@strongroom/base/command";
export type { CommandContext, OptionTable } from "@strongroom/base/command";

/** A command as the table has it. */
export type CommandSpec = frame.CommandSpec;

/** What a command is run with. */
export type Invocation<Table extends frame.OptionTable = frame.OptionTable> = frame.Invocation<Table, LoadedConfig>;

/** Defines a command with its options typed, and forgets the types for the table. */
export function command<Table extends frame.OptionTable>(spec: frame.CommandSpec<Table, LoadedConfig>): CommandSpec {
  return spec;
}

/** What a run of a command that calls the service is given. */
interface Run {
  /** With what {@link WHY_OPTIONS} has, where the command takes it. */
  readonly options: object;
  readonly loaded: LoadedConfig;
  readonly context: {
    readonly env: Readonly<Record<string, string | undefined>>;
    readonly signal: AbortSignal;
  };
}

/**
 * Makes the run of a command that calls the service: its connection found, its calls ended by Ctrl-C, and what the
 * client throws told by {@link asCliError}. Throws `token-missing`, `plain-http` and `input-unreadable` too.
 */
export function withService<Given extends Run>(
  run: (client: Client, given: Given) => Promise<void>,
): (given: Given) => Promise<void> {
  return async (given) => {
    const { loaded, context, options } = given;
    const { purpose, ticket } = options as Pick<Why, "purpose" | "ticket">;
    const connection = await findConnection(loaded, context.env);
    const { timeoutMs } = loaded.config.client;
    try {
      await run(clientOf(connection, { timeoutMs, signal: context.signal, why: { purpose, ticket } }), given);
    } catch (error) {
      throw asCliError(error);
    }
  };
}

/** The options of a command that lists something. */
type PagingOptions = Readonly<{
  limit: frame.OptionSpec<number>;
  cursor: frame.OptionSpec<string | undefined>;
  all: frame.OptionSpec<boolean>;
}>;

/** The options of a command that lists `what` ("records"): a page, the next one, or every page. */
export function pageOptions(what: string): PagingOptions {
  return {
    limit: frame.option("--limit <n>", `${what} shown (default: 100)`, frame.wholeNumberOr(100, 1, 1000)),
    cursor: frame.option("--cursor <cursor>", "continue where the last page ended", frame.text()),
    all: frame.option("--all", "every page", frame.given()),
  };
}

/** What {@link pageOptions} ask for. */
export async function readPage<Item>(
  listing: Listing<Item>,
  { limit, cursor, all }: frame.OptionValues<PagingOptions>,
): Promise<Page<Item>> {
  if (!all) return listing.page({ cursor, limit });
  const items: Item[] = [];
  const damaged: Damaged[] = [];
  for await (const page of listing.pages()) {
    for (const item of page.items) items.push(item);
    for (const one of page.damaged ?? []) damaged.push(one);
  }
  return { items, ...(damaged.length === 0 ? {} : { damaged }), next: null };
}

/** Damaged records that are named one by one for a person; JSON output names all. */
const MOST_NAMED = 20;

/** What a person is told of records that cannot be given, a line each. */
export function damageLines(damaged: readonly Damaged[]): readonly string[] {
  const named = damaged
    .slice(0, MOST_NAMED)
    .map(({ collection, id, code }) =>
      printable(`${collection === undefined ? "" : `${collection}/`}${id}: ${code}`, 600),
    );
  const rest = damaged.length - named.length;
  return rest > 0 ? [...named, `and ${rest} more; --json names them all`] : named;
}

/** Ends a command whose list was shown, but for what is damaged. @throws CliError `records-damaged` */
export function requireUndamaged({ damaged = [] }: Pick<Page<unknown>, "damaged">): void {
  if (damaged.length > 0)
    throw new CliError("records-damaged", { detail: `${damaged.length} of them:`, problems: damageLines(damaged) });
}
