// `strongroom-kms backup` and `restore`.

import { type CommandSpec, given, option } from "@strongroom/base/command";
import type { Contents } from "../../upkeep/database-file.ts";
import { rootKeyOf } from "../root-key-options.ts";
import { command } from "../spec.ts";

const inside = ({ keys, auditEntries, lastEventAt }: Contents): string =>
  `${keys} keys, ${auditEntries} audit entries${lastEventAt === null ? "" : `, the last of ${lastEventAt}`}`;

export const backupCommand: CommandSpec = command({
  name: "backup",
  heading: "Commands",
  args: "<file>",
  summary: "write a backup while the server goes on",
  description: [
    "The backup holds all keys, sealed: without the root key it opens nothing. The root key and credentials.json " +
      "are not in it. Keep them elsewhere,",
    "or the backup is worth nothing, and not beside it, or it protects nothing. Names, policies and the audit can " +
      "be read in it.",
  ].join(" "),
  options: {},
  flagGroups: ["folder"],
  examples: [
    {
      line: 'npx @strongroom/kms backup --data-dir /srv/kms "/backups/kms-$(date +%F).sqlite"',
      meaning: "a backup for today",
    },
  ],
  async run({ args, loaded, context }) {
    const { backup } = await import("../../upkeep/backup.ts");
    const report = await backup({ dataDir: loaded.dataDir, to: args[0] ?? "" });
    context.terminal.result(
      report,
      (shown) =>
        `${shown.path}: ${shown.bytes} bytes, ${inside(shown)}.\nIt opens with the root key only, which is not in it.`,
    );
  },
});

export const restoreCommand: CommandSpec = command({
  name: "restore",
  heading: "Commands",
  args: "<file>",
  summary: "bring a backup back",
  description: [
    "The backup is verified before it takes its place: SQLite's own check, every key with the root key, the audit " +
      "chain from end to end. A database that is",
    "there is never overwritten. The server must not run.",
  ].join(" "),
  options: {
    setAside: option(
      "--set-aside",
      "keep a database that is there under another name, and restore in its place",
      given(),
    ),
  },
  flagGroups: ["folder", "root-key"],
  examples: [
    {
      line:
        "npx @strongroom/kms restore --data-dir /srv/kms --root-key-file /safe/root.key " +
        "/backups/kms-2030-01-01.sqlite",
      meaning: "into a new data folder",
    },
  ],
  async run({ args, options, loaded, context }) {
    const { restore } = await import("../../upkeep/restore.ts");
    const existing = options.setAside ? "set-aside" : "refuse";
    const report = await restore({
      from: args[0] ?? "",
      dataDir: loaded.dataDir,
      rootKey: rootKeyOf(loaded),
      existing,
    });
    context.terminal.result(report, (shown) =>
      [
        `Restored and verified: ${inside(shown)}.`,
        ...(shown.setAside === null ? [] : [`What was there is now ${shown.setAside}.`]),
      ].join("\n"),
    );
  },
});
