// What a person is told of a backup.
import type { Config } from "../config/config.ts";
import { reportView } from "../verify/report.ts";
import type { BuiltIndexes } from "./build-indexes.ts";
import type { DrillReport } from "./drill.ts";
import { cutText, fileText, sizeText } from "./file-text.ts";
import type { BegunBackup } from "./with-postgres.ts";
import type { RestoreReport } from "./restore-backup.ts";
import type { BackupReport } from "./take-backup.ts";

/** What was made, and what is to be kept beside it. */
export function backupView({ path, manifest, bytes, seconds, keepElsewhere, key }: BackupReport): string {
  return [
    `${path}: a backup of the vault ${manifest.vault}, ${sizeText(bytes)} in ${seconds.toFixed(1)} s`,
    ...manifest.files.map((file) => `  ${fileText(file)}`),
    cutText(manifest),
    "Not in it, and needed beside it; keep it elsewhere:",
    ...keepElsewhere.map((one) => `  ${one}`),
    `Verifier key  ${key}`,
  ].join("\n");
}

/** What is to be run, and then. */
export function begunView({ path, cut, commands }: BegunBackup): string {
  return [
    `${path}: a backup is begun. Everything acknowledged before ${cut.at} will be in it. Run, one after the other:`,
    ...commands.map((command) => `  ${command}`),
    `  strongroom backup --check ${path}`,
    "Each dump is of one moment of its own, and the order is what counts: no --snapshot is needed. pg_dump must not " +
      "be older than the server: that of Debian 12 is 15, and dumps no server of 16 or later. A role that only uses " +
      "the tables may dump them.",
  ].join("\n");
}

/** What is to be run before a restore is accepted. */
export function toRunView(commands: readonly string[], from: string): string {
  return [
    "The stores are dumps of PostgreSQL. Into databases in which the schemas are not there yet, run:",
    ...commands.map((command) => `  ${command}`),
    `  strongroom restore ${from} --accept --reason …`,
    "The last one holds what was restored against the backup and its audit, and accepts it. Until then no service " +
      "starts on it. Where the service's role is not the owner: strongroom store migrate --grant-to ROLE.",
  ].join("\n");
}

/** What was restored, what was lost, and how it goes on. */
export function restoreView(report: RestoreReport, { keys, kms: { rootKey } }: Config): string {
  const { path, backup, vault, cut, history, entries, recordsMissing, erasures, indexes, witnesses, approvedBy, key } =
    report;
  const untold = witnesses.filter(({ told }) => !told);
  const root = rootKey.kind === "file" && rootKey.path !== undefined ? ` --root-key-file ${rootKey.path}` : "";
  const missing = `${recordsMissing.toLocaleString("en")} ${recordsMissing === 1 ? "record" : "records"}`;
  return [
    `${path}: the vault ${vault}, restored from the backup ${backup}`,
    `Everything acknowledged before ${cut.at} is there. What was written later is lost; of that, the audit knows ` +
      `${missing} that are not there.`,
    `The audit has a new history, ${history}, with ${entries.toLocaleString("en")} entries; it is whole.`,
    ...(erasures === null
      ? [
          "No ledger was given (--erasures FILE): who was erased or held since is known from the copy beside the " +
            "audit's witness alone, and who was restricted since is not restricted any more.",
        ]
      : [
          `Of the ledger: ${erasures.restricted} restricted, ${erasures.erasing} being erased, ${erasures.erased} ` +
            `erased, ${erasures.unchanged} as they were, ${erasures.unknown} not in the backup. Keys and records of ` +
            "those who are erased are gone.",
        ]),
    ...indexLines(indexes),
    ...(approvedBy === undefined ? [] : [`The audit has who restored it: ${approvedBy.join(" and ")}.`]),
    ...(witnesses.length === 0 ? ["No witness was told: there is none."] : []),
    ...untold.map(({ name }) => `NOT TOLD of it: ${name}. The next start tells it.`),
    `Verifier key  ${key}`,
    "Tokens are not in a backup: the start makes the administrator's anew, and others are to be made.",
    `Next          strongroom ${keys.regions === undefined ? "up" : "serve"} --data-dir ${path}${root}`,
  ].join("\n");
}

/** What the records are found by. */
function indexLines({ built, left, records, duplicates, unopened }: BuiltIndexes): readonly string[] {
  const twice = duplicates.length === 0 ? "" : ` ${duplicates.length} values come twice that are to be unique.`;
  const closed =
    unopened.length === 0
      ? ""
      : ` ${unopened.length} records could not be opened, or have too many values, and are not found.`;
  return [
    ...(built.length === 0
      ? []
      : [`Indexes, which no backup has, were built: ${built.join(", ")}, of ${records.toLocaleString("en")} records.`]),
    ...(left.length === 0
      ? []
      : [
          `NOT built: ${left.join(", ")}.${twice}${closed} Nothing is found by them until strongroom collection apply.`,
        ]),
  ];
}

/** What came of a drill. */
export function drillView({ backup, vault, cut, path, verification, seconds }: DrillReport): string {
  return [
    `The backup ${backup} of the vault ${vault}, ${path ?? "made for the drill"}, was restored: what was acknowledged ` +
      `before ${cut.at}, in ${seconds.toFixed(1)} s.`,
    reportView(verification, null),
    "Nothing of the drill is left.",
  ].join("\n");
}
