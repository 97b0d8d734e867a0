// `strongroom backup`: a backup of the whole vault while it runs; whether one is as it was made; a drill of a restore.
import { resolve } from "node:path";
import { given, text, wholeNumber } from "@strongroom/base/command";
import { command, type CommandSpec, option } from "../command.ts";
import { CliError } from "../errors.ts";

/** `strongroom backup`. */
export const backupCommand: CommandSpec = command({
  name: "backup",
  args: "[dir]",
  heading: "Looking after it",
  summary: "make a backup of the whole vault while it runs",
  description:
    "Records, keys and audit, and the KMS of strongroom up, as of one moment: what was acknowledged before it is in " +
    "the backup. The folder must not be there yet, and is there only when the backup is whole. Not in it: the root " +
    "key of the KMS, without which it opens nothing; tokens, so that none that was revoked comes back; the " +
    "configuration. Keep the root key elsewhere: whoever has both opens everything. Of stores in PostgreSQL it says " +
    "what to run (pg_dump), and --check makes one backup of what was made.",
  flagGroups: ["store", "audit-log", "root-key", "audit"],
  options: {
    check: option("--check", "look whether the backup in the folder is as it was made, and change nothing", given()),
    key: option(
      "--key <vkey>",
      "with --check or --drill: the verifier key of the vault's audit, kept elsewhere",
      text(),
    ),
    drill: option(
      "--drill",
      "restore the backup, which is made where there is none, into a scratch folder beside the data folder, open " +
        "every version of every record and hold it against the audit, as verify does, and remove the folder",
      given(),
    ),
    sample: option(
      "--sample <n>",
      "with --drill: open so many records, people and keys, drawn at random",
      wholeNumber(1, 1_000_000),
    ),
  },
  examples: [
    { line: 'npx strongroom backup "/backups/$(date +%F)"', meaning: "beside a running strongroom up" },
    { line: "npx strongroom backup --check /backups/2030-01-01", meaning: "is it as it was made?" },
    { line: "npx strongroom backup --drill /backups/2030-01-01", meaning: "does it bring everything back?" },
    { line: "npx strongroom backup --drill --sample 1000", meaning: "the same of a backup that is made and removed" },
  ],
  run: async ({ context, loaded, args, options, endWith }) => {
    const [dir] = args;
    const path = dir === undefined ? null : resolve(context.cwd, dir);
    const key = options.key ?? null;
    if (options.drill) {
      const { drillBackup, requireNoProblems } = await import("../backup/drill.ts");
      const { drillView } = await import("../backup/report.ts");
      const request = { backup: path, sample: options.sample ?? null, key };
      const drilled = await drillBackup(context, loaded.config, request);
      context.terminal.result(drilled, () => drillView(drilled));
      requireNoProblems(drilled);
      if (drilled.verification.verdict === "incomplete") endWith("unavailable");
      return;
    }
    if (path === null) throw new CliError("usage", { detail: "The folder of the backup is missing." });
    const postgres = await import("../backup/with-postgres.ts");
    const { backupView, begunView } = await import("../backup/report.ts");
    if (options.check && postgres.isBegun(path)) {
      const report = await postgres.finishBackup(context, loaded.config, path);
      context.terminal.result(report, () => backupView(report));
      return;
    }
    if (options.check) {
      const { checkBackup, checkedView } = await import("../backup/check-backup.ts");
      const checked = await checkBackup(path, key, context);
      context.terminal.result(checked, () => checkedView(checked));
      return;
    }
    const { takeBackup } = await import("../backup/take-backup.ts");
    if (postgres.storeDumps(loaded.config).length > 0) {
      const begun = await postgres.beginBackup(context, loaded.config, path);
      context.terminal.result(begun, () => begunView(begun));
      return;
    }
    const report = await takeBackup(context, loaded.config, path);
    context.terminal.result(report, () => backupView(report));
  },
});
