// What a person is told of a verification: what was looked at, what is wrong, and what that means.
import { duration, printable } from "@strongroom/base/terminal";
import {
  type LogReport,
  VAULT_ERRORS,
  VERIFY_CODES,
  type VerifyCode,
  type VerifyFinding,
  type VerifyPlace,
  type VerifyReport,
} from "@strongroom/vault";

/** What was found in the audit's log. */
export type LogFindings = LogReport;

/** Findings that are shown to a person; JSON output has all. */
const SHOWN = 20;

const VERDICTS: Readonly<Record<VerifyReport["verdict"], string>> = {
  whole: "Everything that was looked at is as it was written.",
  problems: "SOMETHING IS WRONG. What is named below is not as it was written.",
  incomplete: "Nothing is wrong with what could be opened; but not everything could. Verify again.",
};

export function reportView(report: VerifyReport, log: LogFindings | null): string {
  const { verdict, looked, problems, notes, unopened, unsettled, owed, sample, seconds } = report;
  const lines = [
    VERDICTS[verdict],
    `${count(looked.records)} records with ${count(looked.versions)} versions, ${count(looked.people)} people, ` +
      `${count(looked.keys)} keys with ${count(looked.wraps)} wraps, in ${duration(seconds)}.`,
    ...(sample === null ? [] : [`A sample of ${count(sample.size)}: the same one again with --seed ${sample.seed}`]),
    ...(looked.erased === 0 ? [] : [`${count(looked.erased)} versions are about people who were erased.`]),
    ...sums("", problems),
    ...sums("Harms nobody: ", notes),
    ...Object.entries(unopened).map(([why, times]) => `NOT OPENED: ${count(times)} (${why})`),
    ...(unsettled === 0 ? [] : [`NOT LOOKED AT: ${count(unsettled)} were written to again and again.`]),
    ...(owed === 0 ? [] : [`${count(owed)} wraps were made owed: the service's repair makes new ones.`]),
    ...findingLines(report),
    ...logLines(log),
  ];
  return lines.map((line) => printable(line, 1000)).join("\n");
}

const count = (value: number): string => value.toLocaleString("en");

const meaningOf = (code: VerifyCode): string =>
  code in VERIFY_CODES
    ? VERIFY_CODES[code as keyof typeof VERIFY_CODES]
    : VAULT_ERRORS[code as keyof typeof VAULT_ERRORS].title;

function sums(before: string, codes: VerifyReport["problems"]): readonly string[] {
  return Object.entries(codes).map(
    ([code, times]) => `${before}${count(times)} × ${code}: ${meaningOf(code as VerifyCode)}`,
  );
}

function findingLines({ findings, problems, notes }: VerifyReport): readonly string[] {
  const all = [...Object.values(problems), ...Object.values(notes)].reduce((sum, times) => sum + times, 0);
  const shown = findings.slice(0, SHOWN).map((finding) => `  ${placeText(finding.place)}: ${said(finding)}`);
  return all > shown.length ? [...shown, `  and ${count(all - shown.length)} more; --json names them all`] : shown;
}

const said = ({ code, message, owed }: VerifyFinding): string =>
  `${code}: ${message}${owed === true ? " (owed now)" : ""}`;

function placeText(place: VerifyPlace): string {
  const region = "region" in place && place.region !== "" ? ` in ${place.region}` : "";
  switch (place.kind) {
    case "record": {
      const version = place.version === null ? "" : ` version ${place.version}`;
      return `${place.collection ?? "?"}/${place.id ?? "?"}${version}${region}`;
    }
    case "person":
      return place.id === undefined
        ? `person ${place.person}`
        : `person ${place.person}, ${place.collection ?? ""}/${place.id}`;
    case "key":
      return `key of ${place.key ?? "?"} ${place.owner ?? place.version ?? "?"}${region}`;
  }
}

function logLines(log: LogFindings | null): readonly string[] {
  if (log === null) return [];
  if (log.problems.length === 0) return [`The audit's log is whole: ${count(log.size)} entries.`];
  return [
    "THE AUDIT'S LOG IS NOT WHOLE:",
    ...log.problems.slice(0, SHOWN).map(({ code, message }) => `  ${code}: ${message}`),
  ];
}
