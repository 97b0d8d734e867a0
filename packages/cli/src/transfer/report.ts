// What an import came to: counted as it goes, told at its end, and as the JSON result.
import { printable, printableCopy, type Terminal } from "@strongroom/base/terminal";
import { CliError } from "../errors.ts";
import type { PositionUnit } from "../formats/format.ts";
import { PERSONAL_ID_ADVICE } from "../personal-id.ts";

/** A record of the file that was not imported, and why; never its content. */
export interface BadRecord {
  readonly position: number;
  readonly reason: string;
  /** The service's code, where it was the service that refused it. */
  readonly code?: string;
}

/** A record that says something else than the stored one, in these fields. */
export interface MergeConflict {
  readonly position: number;
  readonly fields: readonly string[];
}

/** What an import did so far. */
export interface ImportReport {
  readonly collection: string;
  /** What the positions count. */
  readonly unit: PositionUnit;
  read: number;
  created: number;
  replaced: number;
  /** Records that a merge added something to. */
  merged: number;
  unchanged: number;
  kept: number;
  /** Region -> new versions whose wrap is missing there. */
  readonly missingWraps: Record<string, number>;
  /** Records whose id looks like an address or a telephone number. */
  personalIds: number;
  /** Of records that were merged all the same, as the person decided beforehand. */
  readonly conflicts: MergeConflict[];
  readonly bad: BadRecord[];
}

/** The report of an import that has not begun. */
export function newReport(collection: string, unit: PositionUnit): ImportReport {
  const counts = { read: 0, created: 0, replaced: 0, merged: 0, unchanged: 0, kept: 0 };
  return { collection, unit, ...counts, missingWraps: {}, personalIds: 0, conflicts: [], bad: [] };
}

/** Records that are in the collection now, whether this run wrote them or found them. */
export function stored({ created, replaced, merged, unchanged, kept }: ImportReport): number {
  return created + replaced + merged + unchanged + kept;
}

/** Records of the file that are dealt with, well or badly. */
export function settled(report: ImportReport): number {
  return stored(report) + report.bad.length;
}

/** Notes the regions in which a new version has no wrap. */
export function noteMissing(report: ImportReport, missing: readonly string[]): void {
  for (const region of missing) report.missingWraps[region] = (report.missingWraps[region] ?? 0) + 1;
}

/** What a person is told beside the counts; in JSON, members of the result. */
export interface Remarks {
  /** Fields that --drop or --only names and that no record has. */
  readonly unusedFields: readonly string[];
  /** Fields that were stored and whose names are those of passwords and their hashes. */
  readonly passwordFields: readonly string[];
  /** The file that remembers which record got which random id; null: ids are not random. */
  readonly idsFile: string | null;
}

/** Prints the result; with bad records, throws `input-has-bad-lines` unless they were accepted beforehand. */
export function finish(
  report: ImportReport,
  remarks: Remarks,
  { terminal, onBad }: { readonly terminal: Terminal; readonly onBad: "accept" | "fail" },
): void {
  const { unit, personalIds, ...counts } = report;
  const bad = report.bad.sort((one, other) => one.position - other.position);
  const conflicts = report.conflicts.sort((one, other) => one.position - other.position);
  const placed = ({ position, ...row }: BadRecord | MergeConflict): object => ({
    [unit]: position,
    ...row,
  });
  terminal.result(
    {
      ...counts,
      ...(personalIds > 0 && { personalIds }),
      conflicts: conflicts.map(placed),
      bad: bad.map(placed),
      ...remarks,
      stored: stored(report),
    },
    () => summary(printableCopy(report), terminal),
  );
  if (personalIds > 0)
    terminal.say(
      terminal.styleError(
        "yellow",
        `${personalIds.toLocaleString("en")} ids look like addresses or telephone numbers. ${PERSONAL_ID_ADVICE}`,
      ),
    );
  for (const remark of remarksOf(remarks, conflicts, unit)) terminal.say(remark);
  if (bad.length === 0) return;
  const problems = named(bad.map(({ position, reason }) => `${unit} ${position}: ${reason}`));
  const share = `${bad.length} of ${report.read} ${unit}s`;
  const nothing = "Nothing was stored. Correct what is listed and run the same command again.";
  if (onBad === "fail")
    throw new CliError("input-has-bad-lines", {
      detail: `${share}:`,
      problems,
      ...(stored(report) === 0 ? { remedy: nothing } : {}),
    });
  terminal.say([`${share} were skipped:`, ...bullets(problems.map((problem) => printable(problem)))].join("\n"));
}

function remarksOf(
  { unusedFields, passwordFields, idsFile }: Remarks,
  conflicts: readonly MergeConflict[],
  unit: PositionUnit,
): readonly string[] {
  const list = (fields: readonly string[]): string => fields.map((field) => printable(field, 80)).join(", ");
  const told = conflicts.map(({ position, fields }) => `${unit} ${position}: ${list(fields)}`);
  return [
    ...(told.length === 0
      ? []
      : [[`In ${told.length} of them file and vault say different things:`, ...bullets(named(told))].join("\n")]),
    ...(idsFile === null ? [] : [`Which record got which id stands in ${idsFile}: keep it.`]),
    ...(unusedFields.length === 0
      ? []
      : [`No record has the field ${list(unusedFields)}: nothing was left out there.`]),
    ...(passwordFields.length === 0
      ? []
      : [
          `By their names these fields hold passwords or their hashes: ${list(passwordFields)}. They were stored as ` +
            "every other field; --drop FIELD leaves a field out.",
        ]),
  ];
}

/** Records that are named one by one for a person; the rest is counted. JSON output names all. */
const NAMED_RECORDS = 20;

function named(lines: readonly string[]): readonly string[] {
  const rest = lines.length - NAMED_RECORDS;
  return rest > 0 ? [...lines.slice(0, NAMED_RECORDS), `and ${rest} more; --json names them all`] : lines;
}

function bullets(lines: readonly string[]): readonly string[] {
  return lines.map((line) => `  - ${line}`);
}

/** The result in one or two lines. */
export function summary(report: ImportReport, terminal: Terminal): string {
  const count = (value: number): string => value.toLocaleString("en");
  const parts = (["created", "replaced", "merged", "unchanged", "kept"] as const)
    .filter((outcome) => report[outcome] > 0)
    .map((outcome) => `${count(report[outcome])} ${outcome}`);
  const of = `${count(stored(report))} of ${count(report.read)} records are in ${report.collection}`;
  const missing = Object.entries(report.missingWraps).map(([region, items]) => `${count(items)} in ${region}`);
  const first = `${terminal.style("bold", of)}${parts.length === 0 ? "" : ` (${parts.join(", ")})`}`;
  return missing.length === 0
    ? first
    : `${first}\n${terminal.style("yellow", `wraps still missing: ${missing.join(", ")}`)}`;
}
