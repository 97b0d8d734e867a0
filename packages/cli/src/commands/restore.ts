// `strongroom restore`: a backup becomes a vault in a new data folder.
import { resolve } from "node:path";
import { given, text } from "@strongroom/base/command";
import { z } from "zod";
import { command, type CommandSpec, option } from "../command.ts";
import { CliError } from "../errors.ts";

/** `strongroom restore`. */
export const restoreCommand: CommandSpec = command({
  name: "restore",
  args: "<dir>",
  heading: "Looking after it",
  summary: "make a vault of a backup, in a new data folder",
  description:
    "Every file is held against the manifest of the backup, and that against the audit of the vault, before anything " +
    "is used. Then a new history of the audit begins, on record: it names the backup, its cut and what was lost. The " +
    "witness is told, so that the vault that was backed up does not start again beside it; end it first. The folder " +
    "that --data-dir names must not be there yet. With keys.fourEyes two administrators of the vault restore it, by " +
    "the tokens that they had when the backup was made.",
  flagGroups: ["audit-log", "root-key", "witness", "audit"],
  options: {
    reason: option(
      "--reason <text>",
      "why, in a few words that tell of nobody; they stay in the audit for ever (must be given)",
      z
        .string()
        .regex(/^[\x20-\x7e]{3,200}$/, "must be 3 to 200 characters of ASCII")
        .optional(),
    ),
    accept: option(
      "--accept",
      "of dumps of PostgreSQL: they were restored as this command said, and are accepted now",
      given(),
    ),
    key: option("--key <vkey>", "the verifier key of the vault's audit, kept elsewhere", text()),
    erasures: option(
      "--erasures <file>",
      'a newer ledger of restrictions and erasures (NDJSON: {"person": UUID, "state": "erased"}): they hold before ' +
        "anybody can ask",
      text(),
    ),
    tokenFile: option(
      "--token-file <file>",
      "with keys.fourEyes: a token, with the scope admin, of the first of the two who restore it",
      text(),
    ),
    secondTokenFile: option(
      "--second-token-file <file>",
      "that of the second; both are looked at without keys.fourEyes too when this one is given",
      text(),
    ),
    indexes: option(
      "--no-indexes",
      "do not build the indexes that records are found by: strongroom collection apply does it later",
      z.boolean().default(true),
    ),
  },
  examples: [
    {
      line:
        "npx strongroom restore /backups/2030-01-01 --data-dir /srv/vault --root-key-file /safe/root.key " +
        '--reason "the disk failed"',
      meaning: "of a vault of strongroom up",
    },
    {
      line:
        "npx strongroom restore /backups/2030-01-01 --data-dir /srv/vault --config serve.json " +
        '--reason "the disk failed"',
      meaning: "of a vault whose keys are in AWS KMS",
    },
  ],
  run: async ({ context, loaded, args, options }) => {
    const { reason, key, erasures } = options;
    if (reason === undefined)
      throw new CliError("usage", {
        detail: "Why it is restored must be said: --reason TEXT. It stays in the audit for ever.",
      });
    const from = resolve(context.cwd, args[0] ?? "");
    const { requireTwo, twoTokens } = await import("../backup/approvers.ts");
    const tokens = twoTokens({ loaded, context }, options);
    const { restoreCommands } = await import("../backup/with-postgres.ts");
    const commands = restoreCommands(loaded.config, from);
    if (commands.length > 0 && !options.accept) {
      const { checkBackup } = await import("../backup/check-backup.ts");
      const { toRunView } = await import("../backup/report.ts");
      const checked = await checkBackup(from, key ?? null, context);
      if (tokens !== null) requireTwo(checked, tokens);
      context.terminal.result({ commands }, () => toRunView(commands, from));
      return;
    }
    const { restoreBackup } = await import("../backup/restore-backup.ts");
    const { restoreView } = await import("../backup/report.ts");
    const report = await restoreBackup(context, loaded.config, {
      from,
      reason,
      key: key ?? null,
      erasures: erasures === undefined ? null : resolve(context.cwd, erasures),
      witnesses: "told",
      indexes: options.indexes ? "built" : "left",
      ...(tokens === null ? {} : { tokens }),
    });
    context.terminal.result(report, () => restoreView(report, loaded.config));
  },
});
