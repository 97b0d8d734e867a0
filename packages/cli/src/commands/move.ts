// `strongroom move …`: columns of an application's table into the vault, in stages, each with a way back.
import { given, repeatedOption, text, texts, wholeNumber } from "@strongroom/base/command";
import { command, type CommandSpec, option, type OptionTable, withService } from "../command.ts";
import { requireYes } from "../confirm.ts";
import { WHY_OPTIONS } from "./audit-options.ts";

const SOURCE = {
  from: option(
    "--from <database>",
    "the application's: postgres://USER@HOST/DATABASE, or sqlite:FILE (must be given)",
    text(),
  ),
  schema: option("--schema <name>", "schema of the table in PostgreSQL (default: public)", text()),
  passwordFile: option(
    "--password-file <file>",
    "file with the password for PostgreSQL (default: STRONGROOM_SOURCE_PASSWORD)",
    text(),
  ),
  caFile: option("--ca-file <file>", "PEM file of the authorities of the PostgreSQL server", text()),
} satisfies OptionTable;

const DEFINITION = {
  table: option("--table <name>", "the table, as the database has its name", text()),
  key: option("--key <column>", "its key, of one column; its text is the record's id", text()),
  column: repeatedOption("--column <name>", "a column that moves (repeated for each)", texts()),
  messages: repeatedOption("--messages <name>", "a column that moves and holds messages of --kms-key", texts()),
  mixed: repeatedOption("--mixed <name>", "a column that moves and holds both messages and plaintext", texts()),
  asText: repeatedOption("--as-text <name>", "SQLite: numbers of this column become texts", texts()),
  collection: option("--collection <name>", "where to", text()),
  subject: option("--subject <column>", "column that names the person (default: as the collection declares)", text()),
  context: repeatedOption(
    "--context <pair>",
    "NAME=VALUE that each message must have been made for; {column} stands for that column's text",
    texts(),
  ),
  withoutContext: option("--without-context", "the messages were made without a context, on purpose", given()),
} satisfies OptionTable;

const KEYS = {
  kmsKey: repeatedOption("--kms-key <arn>", "key of AWS KMS that opens the column's messages", texts()),
  rate: option("--rate <n>", "rows a second, at most (default: as fast as it goes)", wholeNumber(1, 100_000)),
} satisfies OptionTable;

const FROM = "--from postgres://app@db.example/shop";
const WHAT = "--table customers --key id --column name --column email --collection customers";

/** `strongroom move plan`. */
const movePlanCommand: CommandSpec = command({
  name: "move plan",
  args: "<name>",
  heading: "Moving data",
  summary: "look at a table that is to move: rows, types, sizes, what is a message already",
  description:
    "It changes nothing, and shows no value. Named are values that cannot be moved exactly, columns of types whose " +
    "texts are not exact, messages that would be encrypted a second time, and keys that say something of a person. " +
    "More: docs/moving-in.md",
  flagGroups: [],
  options: { ...SOURCE, ...DEFINITION },
  examples: [
    {
      line: `npx strongroom move plan customers ${FROM} ${WHAT}`,
      meaning: "what would move, and what is in the way",
    },
  ],
  run: async ({ context, args, options }) => {
    const { definitionOf } = await import("../move/definition-options.ts");
    const { planned } = await import("../move/run-move.ts");
    await planned(context, options, definitionOf(args[0] ?? "", options));
  },
});

/** `strongroom move start`. */
const moveStartCommand: CommandSpec = command({
  name: "move start",
  args: "<name>",
  heading: "Moving data",
  summary: "begin a move: from here on the application writes both table and vault",
  description:
    "Makes the table strongroom_moves beside the application's, and keeps there what moves and how far it is. The " +
    "application writes through dualWrite of @strongroom/vault/moving, which asks for the stage in each transaction.",
  flagGroups: ["client"],
  options: { ...SOURCE, ...DEFINITION, ...KEYS, ...WHY_OPTIONS },
  examples: [
    {
      line: `npx strongroom move start customers ${FROM} ${WHAT}`,
      meaning: "as it was planned",
    },
  ],
  run: withService(async (client, { context, args, options }) => {
    const { definitionOf } = await import("../move/definition-options.ts");
    const { started } = await import("../move/run-move.ts");
    await started(client, context, options, definitionOf(args[0] ?? "", options));
  }),
});

/** A step that needs the move's name alone. */
interface StepCommand {
  readonly name: "verify" | "cut-over" | "back";
  readonly summary: string;
  readonly description: string;
  readonly meaning: string;
}

const STEP_FUNCTIONS = { verify: "verify", "cut-over": "cutOver", back: "back" } as const;

function stepCommand({ name, summary, description, meaning }: StepCommand): CommandSpec {
  return command({
    name: `move ${name}`,
    args: "<name>",
    heading: "Moving data",
    summary,
    description,
    flagGroups: ["client"],
    options: { ...SOURCE, ...KEYS, ...WHY_OPTIONS },
    examples: [{ line: `npx strongroom move ${name} customers ${FROM}`, meaning }],
    run: withService(async (client, { context, args, options }) => {
      const { stepped } = await import("../move/run-move.ts");
      const moving = await import("@strongroom/vault/moving");
      const step = moving[STEP_FUNCTIONS[name]];
      await stepped(client, context, options, (parts, how) => step(parts, args[0] ?? "", how));
    }),
  });
}

/** `strongroom move backfill`. */
const moveBackfillCommand: CommandSpec = command({
  name: "move backfill",
  args: "<name>",
  heading: "Moving data",
  summary: "bring every row of the table into the vault, beside an application that works",
  description:
    "It can be interrupted and run again: rows whose record is the same are left alone. A row that changes meanwhile " +
    "is taken again, and nothing is written over what the application wrote later. Rows that cannot be moved exactly " +
    "are named by key, column and reason; the exit code is 1 then.",
  flagGroups: ["client"],
  options: {
    ...SOURCE,
    ...KEYS,
    removeGone: option(
      "--remove-gone",
      "also remove records of the collection whose row is gone, or has no values",
      given(),
    ),
    ...WHY_OPTIONS,
  },
  examples: [{ line: `npx strongroom move backfill customers ${FROM} --rate 500`, meaning: "gently" }],
  run: withService(async (client, { context, args, options }) => {
    const { stepped } = await import("../move/run-move.ts");
    const { fill } = await import("@strongroom/vault/moving");
    const { removeGone } = options;
    await stepped(client, context, options, (parts, how) => fill(parts, args[0] ?? "", { ...how, removeGone }));
  }),
});

/** `strongroom move drop`. */
const moveDropCommand: CommandSpec = command({
  name: "move drop",
  args: "<name>",
  heading: "Moving data",
  summary: "empty the columns whose values are in the vault",
  description:
    "It verifies everything first, and again each row before it is emptied; a row whose record differs is " +
    "left and named. The columns stay, and are null. Backups, replicas and free pages of the database keep values: " +
    "docs/moving-in.md. It can be interrupted and run again; move back fills the columns from the vault. On a " +
    "terminal it asks first; elsewhere it wants --yes.",
  flagGroups: ["client"],
  options: { ...SOURCE, ...KEYS, yes: option("-y, --yes", "do it without asking", given()), ...WHY_OPTIONS },
  examples: [{ line: `npx strongroom move drop customers ${FROM} --yes`, meaning: "for a script" }],
  run: withService(async (client, { context, args, options }) => {
    if (!options.yes) await requireYes("Empty the columns of every row that is in the vault?", context);
    const { stepped } = await import("../move/run-move.ts");
    const { drop } = await import("@strongroom/vault/moving");
    await stepped(client, context, options, (parts, how) => drop(parts, args[0] ?? "", how));
  }),
});

/** `strongroom move status`. */
const moveStatusCommand: CommandSpec = command({
  name: "move status",
  args: "[name]",
  heading: "Moving data",
  summary: "show the moves of an application's database: stage, counts, the last verification",
  description: "It looks and changes nothing.",
  flagGroups: [],
  options: SOURCE,
  examples: [{ line: `npx strongroom move status ${FROM}`, meaning: "every move" }],
  run: async ({ context, args, options }) => {
    const { shownMoves } = await import("../move/run-move.ts");
    await shownMoves(context, options, args[0]);
  },
});

/** In the order of a move. */
export const MOVE_COMMANDS: readonly CommandSpec[] = [
  movePlanCommand,
  moveStartCommand,
  moveBackfillCommand,
  stepCommand({
    name: "verify",
    summary: "hold every row of a table that moves against the vault, and every record against the table",
    description:
      "By content, beside an application that works; nothing is changed and no value is shown. Findings name keys " +
      "and columns. Exit code 1 if something is not the same.",
    meaning: "is everything there?",
  }),
  stepCommand({
    name: "cut-over",
    summary: "let the application read from the vault; it goes on writing both",
    description: "It verifies first, and is refused unless everything is the same now. The columns stay as they are.",
    meaning: "verify, and let it read from the vault",
  }),
  moveDropCommand,
  stepCommand({
    name: "back",
    summary: "take a move one stage back; columns that were emptied are filled from the vault",
    description:
      "From cut-over the application reads from the table again, which is whole, because it has gone on writing it. " +
      "From dropping and dropped the columns are filled first, and verified. What is in the vault stays there.",
    meaning: "one stage",
  }),
  moveStatusCommand,
];
