/**
 * What was tried and what told of it, as a page. Each change is counted once, by what tells of it first: the database
 * does not take it, a read or a write is refused, the vault is not opened, an alarm, the verification of the audit, the
 * verification of the records; or nothing does.
 */
import { remainsOf } from "./remains.ts";
import type { Result, Section } from "./run.ts";
import { WHEN } from "./moments.ts";
import type { When } from "./moments.ts";
import type { Outcome } from "./trial.ts";

/** What tells of a change, the first of them first. */
export const NOTICES = ["not taken", "refused", "not opened", "alarm", "audit verify", "verify", "nothing"] as const;
export type Notice = (typeof NOTICES)[number];

/** Alarms that only say what a read was refused with are no others. */
export function noticeOf({ isTaken, open, answers, alarms, log, records }: Outcome): Notice {
  if (!isTaken) return "not taken";
  if (answers.refused.size > 0) return "refused";
  if (open !== null) return "not opened";
  if (alarms.size > 0) return "alarm";
  if (log.size > 0) return "audit verify";
  return records.size > 0 ? "verify" : "nothing";
}

/** Under which name the page has a change. */
export const nameOf = ({ section, change }: Pick<Result, "section" | "change">): string =>
  section === "one column" ? `${change.edits[0]?.place ?? ""}.${change.kind}` : change.kind;

export const isWrong = ({ outcome }: Result): boolean => outcome.answers.wrong.length > 0;

/** Why a change may be unnoticed, or a wrong answer given after it; null: it may not. */
export const reasonOf = (result: Result): string | null =>
  remainsOf(nameOf(result), result.when, {
    isWrong: isWrong(result),
    isUnnoticed: noticeOf(result.outcome) === "nothing",
  });

const UNEXPLAINED = "not explained";

/** Those that are unnoticed, or after which an answer was wrong, and nothing says why that may be. */
export const unexplained = (results: readonly Result[]): readonly string[] =>
  results
    .filter((result) => (isWrong(result) || noticeOf(result.outcome) === "nothing") && reasonOf(result) === null)
    .map((result) => `${result.when}: ${nameOf(result)}: ${result.outcome.answers.wrong.join("; ")}`);

/** The page. */
export function historiesPage(
  results: readonly Result[],
  { rerun, setBack }: { readonly rerun: string; readonly setBack: string },
): string {
  const count = (...notices: readonly Notice[]): string =>
    numberOf(results.filter(({ outcome }) => notices.includes(noticeOf(outcome))).length);
  const of = (section: Section): readonly Result[] => results.filter((result) => result.section === section);
  const wrong = results.filter(isWrong);
  return `# What was changed in the stores, and what tells of it

Written by \`${rerun}\`; do not edit. 13 records of four people in six collections (one with sealed ids, one in record
scope and repaired, one about nobody; several versions, a removal, a record that was written again after one, somebody restricted) in
SQLite files, over the project's own KMS with three regions. A hand that may write to all three files makes one change at a time, while
a vault is open that has read everything, and before one is opened. After each, all that the change touches is read (the newest, each
version, the history, the lists, what is said of people), what waits is carried to the log, it is read again, audit and records are
verified, and it is written. *Carried*: everything was in the audit's log when the hand came. *Waiting*: what the second half of the
records' changes wrote was not in it yet, which otherwise lasts a second at most.

Of ${numberOf(results.length)} changes ${count("not taken")} the database itself did not take; ${count("refused")} were refused by a read or a write, ${count("not opened")} when the vault was opened,
${count("alarm")} were told by an alarm, ${count("audit verify")} were found by \`strongroom audit verify\`, ${count("verify")} by \`strongroom verify\`, and ${count("nothing")} by nothing. After
${numberOf(wrong.length)} of them a read gave an older document, a removed record, or said of one that it is not there: those are listed below with
what tells of each, and why no read can.

${remainsSection(results)}
## One record

What somebody does with one record who has copies of its rows of before. In a cell: what tells of it.

| what was done | carried | waiting |
| --- | --- | --- |
${[...Map.groupBy(of("one record"), nameOf)]
  .map(
    ([name, all]) =>
      `| ${name} | ${WHEN.toReversed()
        .map((when) => cellOf(all, when))
        .join(" | ")} |`,
  )
  .join("\n")}

## Rows that belong together

| what was changed | carried | waiting |
| --- | --- | --- |
${[...Map.groupBy(of("together"), nameOf)]
  .map(
    ([name, all]) =>
      `| ${name} | ${WHEN.toReversed()
        .map((when) => cellOf(all, when))
        .join(" | ")} |`,
  )
  .join("\n")}

## One column of one row

Each column is set to what a row beside it has, to another value of its kind, to nothing and to rubbish; and each table loses a row.
In a cell: how many of the changes. *Right*: all answers were right, and nothing tells.

| column | changes | ${NOTICES.join(" | ")} | with |
| --- | ---: | ${NOTICES.map(() => "---:").join(" | ")} | --- |
${[...Map.groupBy(of("one column"), nameOf)].map(([name, all]) => columnLine(name, all)).join("\n")}

${setBack}`;
}

/** What a page says of each change: what told of it, by its name and when it was made. */
export function noticesIn(page: string): ReadonlyMap<string, { readonly hasNothing: boolean }> {
  const found = new Map<string, { readonly hasNothing: boolean }>();
  let columns: readonly string[] = [];
  for (const line of page.split("\n")) {
    if (!line.startsWith("| ")) continue;
    const [name = "", ...cells] = line.slice(2, -2).split(" | ");
    if (name === "what was changed" || name === "what was done" || name === "column") columns = cells;
    else if (!name.startsWith("---"))
      for (const [index, column] of columns.entries()) {
        const cell = cells[index] ?? "";
        if (column === "carried" || column === "waiting") {
          if (cell !== "") found.set(`${column}: ${name}`, { hasNothing: cell.includes("nothing") });
        } else if (column === "nothing") found.set(`column: ${name}`, { hasNothing: cell !== "" });
      }
  }
  return found;
}

/** Under which name {@link noticesIn} has a result. */
export const noticeName = (result: Result): string =>
  `${result.section === "one column" ? "column" : result.when}: ${nameOf(result)}`;

function remainsSection(results: readonly Result[]): string {
  const open = results.filter((result) => isWrong(result) || noticeOf(result.outcome) === "nothing");
  const grouped = Map.groupBy(open, (result) => reasonOf(result) ?? UNEXPLAINED);
  const lines = [...grouped].map(([why, all]) => {
    const names = [...new Set(all.map(nameOf))];
    const shown =
      names.length > MOST_NAMES ? [...names.slice(0, MOST_NAMES), `and ${names.length - MOST_NAMES} more`] : names;
    return `| ${shown.join("; ")} | ${all.length} | ${all.filter(isWrong).length} | ${why} |`;
  });
  return `## What remains

| what was changed | changes | wrong answers after | why, and what tells |
| --- | ---: | ---: | --- |
${lines.join("\n")}
`;
}

const MOST_NAMES = 12;

function cellOf(all: readonly Result[], when: When): string {
  const own = all.filter((result) => result.when === when);
  const said = own.map(({ outcome }) => {
    const notice = noticeOf(outcome);
    const codes = codesOf(outcome, notice);
    const wrong = outcome.answers.wrong.length > 0 ? "**wrong answers**; " : "";
    const differs =
      outcome.answers.wrong.length === 0 && notice === "nothing" ? [...outcome.answers.differing].join(", ") : "";
    if (notice === "refused") return `${wrong}${codes}`;
    return `${wrong}${notice}${codes === "" ? "" : ` ${codes}`}${differs === "" ? "" : ` (${differs})`}`;
  });
  return [...new Set(said)].join("; or ");
}

function columnLine(name: string, all: readonly Result[]): string {
  const counts = NOTICES.map((notice) => all.filter(({ outcome }) => noticeOf(outcome) === notice).length);
  const codes = all
    .flatMap(({ outcome }) => codesOf(outcome, noticeOf(outcome)).split(", "))
    .filter((code) => code !== "");
  const sorted = [...Map.groupBy(codes, (code) => code)].sort(([, one], [, other]) => other.length - one.length);
  return `| ${name} | ${all.length} | ${counts.map((count) => (count === 0 ? "" : count)).join(" | ")} | ${sorted.map(([code]) => code).join(", ")} |`;
}

function codesOf({ open, answers, alarms, log, records }: Outcome, notice: Notice): string {
  const codes: Readonly<Record<Notice, Iterable<string>>> = {
    "not taken": [],
    refused: answers.refused,
    "not opened": open === null ? [] : [open],
    alarm: alarms,
    "audit verify": log,
    verify: records,
    nothing: [],
  };
  return [...codes[notice]]
    .sort()
    .map((code) => `\`${code}\``)
    .join(", ");
}

const numberOf = (count: number): string => new Intl.NumberFormat("en").format(count);
