// `strongroom backup`: a backup of the whole vault while it runs; whether one is as it was made; a drill of a restore.
import { resolve } from "node:path";
import { given, text } from "@strongroom/base/command";
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
    "the backup. The folder must not be there yet, and is there only when the backup is whole. Not in it: the root key " +
    "of the KMS, without which it opens nothing; tokens, so that none that was revoked comes back; the " +
    "configuration. Keep the root key elsewhere: whoever has both opens everything.",
  flagGroups: ["store", "audit-log", "root-key", "audit"],
  options: {
    check: option("--check", "look whether the backup in the folder is as it was made, and change nothing", given()),
    key: option("--key <vkey>", "with --check: the verifier key of the vault's audit, kept elsewhere", text()),
  },
  examples: [
    { line: 'npx strongroom backup "/backups/$(date +%F)"', meaning: "beside a running strongroom up" },
    { line: "npx strongroom backup --check /backups/2030-01-01", meaning: "is it as it was made?" },
  ],
  run: async ({ context, loaded, args, options }) => {
    const [dir] = args;
    if (dir === undefined) throw new CliError("usage", { detail: "The folder of the backup is missing." });
    const path = resolve(context.cwd, dir);
    if (options.check) {
      const { checkBackup, checkedView } = await import("../backup/check-backup.ts");
      const checked = await checkBackup(path, options.key ?? null, context);
      context.terminal.result(checked, () => checkedView(checked));
      return;
    }
    const { takeBackup } = await import("../backup/take-backup.ts");
    const { backupView } = await import("../backup/report.ts");
    const report = await takeBackup(context, loaded.config, path);
    context.terminal.result(report, () => backupView(report));
  },
});
