// The outcome of an exchange as a table: who read how many of whose messages, what is not written by design, and what
// failed.

import { describeCell } from "./cells.ts";
import type { Outcome } from "./exchange.ts";
import type { Peer } from "./peer.ts";

const FAILURES_SHOWN = 20;

export interface Skipped {
  readonly id: string;
  readonly reason: string;
}

export function tableOf(peers: readonly Peer[], outcomes: readonly Outcome[], skipped: readonly Skipped[]): string {
  const failures = outcomes.filter((outcome) => outcome.kind === "failed");
  const read = outcomes.filter((outcome) => outcome.kind === "read");
  return [
    "messages read, by writer (rows) and reader (columns); failures behind a slash",
    matrix(peers, outcomes),
    "",
    "by wrapping key",
    columns([...countBy(read, ({ cell }) => cell.keys.name)].map(([name, count]) => [`  ${name}`, String(count)])),
    "",
    "by suite",
    columns(
      [...countBy(read, ({ cell }) => `0x${cell.suite.id.toString(16).padStart(4, "0")} ${cell.suite.name}`)].map(
        ([name, count]) => [`  ${name}`, String(count)],
      ),
    ),
    "",
    ...[
      ...countBy(
        outcomes.filter((outcome) => outcome.kind === "by-design"),
        ({ peer, reason }) => `${peer} ${reason}`,
      ),
    ].map(([text, count]) => `by design: ${text} (${count} combinations)`),
    ...skipped.map(({ id, reason }) => `SKIPPED, nothing was tested with ${id}: ${reason}`),
    ...failures
      .slice(0, FAILURES_SHOWN)
      .map(
        ({ writer, reader, cell, reason }) =>
          `FAILED ${writer} -> ${reader ?? "(writing)"}: ${describeCell(cell)}: ${reason}`,
      ),
    ...(failures.length > FAILURES_SHOWN ? [`and ${failures.length - FAILURES_SHOWN} more failures`] : []),
    `${read.length} messages read, ${failures.length} failed, ${skipped.length} peers skipped`,
  ].join("\n");
}

function matrix(peers: readonly Peer[], outcomes: readonly Outcome[]): string {
  const cell = (writer: Peer, reader: Peer): string => {
    if (writer.id === reader.id) return "";
    const own = outcomes.filter(
      (outcome) =>
        outcome.kind !== "by-design" && outcome.writer === writer.id && (outcome.reader ?? reader.id) === reader.id,
    );
    const failed = own.filter(({ kind }) => kind === "failed").length;
    return failed === 0 ? String(own.length) : `${own.length - failed} / ${failed}`;
  };
  return columns([
    ["", ...peers.map(({ title }) => title)],
    ...peers.map((writer) => [`  ${writer.title}`, ...peers.map((reader) => cell(writer, reader))]),
  ]);
}

function columns(rows: readonly (readonly string[])[]): string {
  const widths: number[] = [];
  for (const row of rows)
    row.forEach((text, index) => {
      widths[index] = Math.max(widths[index] ?? 0, text.length);
    });
  return rows
    .map((row) =>
      row
        .map((text, index) => (index === 0 ? text.padEnd(widths[index] ?? 0) : text.padStart(widths[index] ?? 0)))
        .join("  "),
    )
    .join("\n");
}

function countBy<T>(items: readonly T[], nameOf: (item: T) => string): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const item of items) counts.set(nameOf(item), (counts.get(nameOf(item)) ?? 0) + 1);
  return counts;
}
