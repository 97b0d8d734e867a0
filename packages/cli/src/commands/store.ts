// `strongroom store …`: the database of the records. `status` looks and changes nothing, `migrate` brings its schema to
// this version's, `flip` puts another key set in force.
import { given, text } from "@strongroom/base/command";
import { command, type CommandSpec, option } from "../command.ts";
import { dataFolder } from "../data-folder.ts";

/** `strongroom store status`. */
export const storeStatusCommand: CommandSpec = command({
  name: "store status",
  heading: "Looking after it",
  summary: "show where the records lie: schema, key set in force, sizes, connection, replication",
  description:
    "It looks and changes nothing, also beside running services. Sizes are the database's own estimates: nothing is " +
    "counted.",
  flagGroups: ["store"],
  options: {},
  examples: [
    { line: "npx strongroom store status", meaning: "of SQLite in the data folder, or of the configured PostgreSQL" },
    {
      line: "npx strongroom store status --store postgres://strongroom@db.example/records --json",
      meaning: "for programs; the password is in STRONGROOM_STORE_PASSWORD",
    },
  ],
  run: async ({ context, loaded }) => {
    const { storeStatus, statusView } = await import("../store/status.ts");
    const { status, failed } = await storeStatus(loaded.config, dataFolder(loaded.config.dataDir), context.env);
    context.terminal.result(status, (shown) => statusView(shown, context.terminal));
    if (failed !== null) throw failed;
  },
});

/** `strongroom store migrate`. */
export const storeMigrateCommand: CommandSpec = command({
  name: "store migrate",
  heading: "Looking after it",
  summary: "bring the database to the schema of this version",
  description:
    "PostgreSQL: makes the schema, or adds what this version needs, under a lock, while services of the version " +
    "before go on; run it once, before the processes of the new version start. SQLite: moves the content of an older " +
    "version's vault.sqlite into records.sqlite, as the next start would. It can be interrupted and run again.",
  flagGroups: ["store"],
  options: {
    dryRun: option("--dry-run", "say what it would do, and do nothing", given()),
    grantTo: option("--grant-to <role>", "let this role of PostgreSQL use the schema, and nothing more", text()),
  },
  examples: [
    { line: "npx strongroom store migrate --dry-run", meaning: "what is pending" },
    {
      line: "npx strongroom store migrate --store postgres://strongroom@db.example/records",
      meaning: "prepare a new, empty database",
    },
    {
      line: "npx strongroom store migrate --store postgres://owner@db.example/records --grant-to strongroom",
      meaning: "as the owner, for a service whose user makes no tables",
    },
  ],
  run: async ({ context, loaded, options }) => {
    const { migrateStore } = await import("../store/migrate.ts");
    await migrateStore(context, loaded.config, { how: options.dryRun ? "say" : "do", grantTo: options.grantTo });
  },
});

/** `strongroom store flip`. */
export const storeFlipCommand: CommandSpec = command({
  name: "store flip",
  heading: "Looking after it",
  summary: "put the next key set in force, in every process at once",
  description:
    "The next set is keys.next; without it, the configured keys. From then on every write goes under it, and none " +
    "that was sealed under the set before is stored any more. Give keys.next to every process first: one that does " +
    "not know the set in force refuses to write (key-set-unknown) and goes on reading. It is in the audit before it " +
    "is done: one region of either set must answer, and the KMS of strongroom up is started where it does not run. " +
    "On a terminal it asks first; elsewhere it wants --yes.",
  flagGroups: ["store", "audit-log", "root-key", "audit"],
  options: { yes: option("-y, --yes", "do it without asking", given()) },
  examples: [
    { line: "npx strongroom store flip", meaning: "say what it does, ask, and do it" },
    { line: "npx strongroom store flip --yes", meaning: "for a script" },
  ],
  run: async ({ context, loaded, options }) => {
    const { flipKeySet } = await import("../store/flip.ts");
    await flipKeySet(context, loaded.config, options.yes ? "yes" : "ask");
  },
});
