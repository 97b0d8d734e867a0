// What a person is told of a move: counts, columns and keys, never a value.
import type { Terminal } from "@strongroom/base/terminal";
import type { MoveState, PlannedMove, StageRow, StepResult } from "@strongroom/vault/moving";
import { PERSONAL_ID_ADVICE } from "../personal-id.ts";

const count = (value: number): string => value.toLocaleString("en");

/** Keys that are named one by one; JSON output names up to a thousand. */
const MOST_NAMED = 20;

export function planView({ rows, empty, personalKeys, columns, problems }: PlannedMove, terminal: Terminal): string {
  const width = columns.reduce((most, { name }) => Math.max(most, name.length), 6);
  return [
    terminal.style("bold", `${count(rows)} rows, ${count(empty)} of them without a value that moves`),
    ...columns.map(({ name, type, values, nulls, messages, bytes, longest }) => {
      const sizes = `${count(bytes)} bytes, the longest ${count(longest)}`;
      const layers = messages === 0 ? "" : `, ${count(messages)} messages already`;
      return `  ${name.padEnd(width)}  ${type}: ${count(values)} values, ${count(nulls)} null${layers}; ${sizes}`;
    }),
    ...(personalKeys === 0
      ? []
      : [`${count(personalKeys)} keys look like addresses or telephone numbers. ${PERSONAL_ID_ADVICE}`]),
    ...(problems.length === 0 ? [] : ["In the way:", ...problems.map((problem) => `  - ${problem}`)]),
  ].join("\n");
}

export function stateView({ name, stage, definition, progress, heldUntil }: MoveState, row: StageRow): string {
  const { counts, verified, after } = progress;
  const columns = definition.columns.map((column) => column.name).join(", ");
  return [
    `${name}: ${stage}. It reads from the ${row.reads}, writes ${row.writes === "both" ? "both" : `the ${row.writes}`}; next: ${row.next}`,
    `  ${definition.table} (${columns}) by ${definition.key} -> ${definition.collection}`,
    `  ${count(counts.created)} created, ${count(counts.replaced)} replaced, ${count(counts.same)} the same, ` +
      `${count(counts.refused)} refused${after === null ? "" : "; a step has not ended"}`,
    verified === null
      ? "  not verified yet"
      : `  verified ${verified.at}: ${count(verified.rows)} rows, ${count(verified.records)} records, ${count(verified.findings)} differ`,
    ...(heldUntil === null ? [] : [`  a process works on it, until ${new Date(heldUntil).toISOString()} at least`]),
  ].join("\n");
}

export function stepView(result: StepResult, row: StageRow): string {
  const { refused = [], verdict, left = [] } = result;
  const findings = (verdict?.findings ?? []).map(
    ({ key, kind, columns = [], reasons = [] }) => `${key}: ${[kind, ...columns, ...reasons].join(", ")}`,
  );
  return [
    stateView(result.state, row),
    ...named(
      "Not taken:",
      refused.map(({ key, reasons }) => `${key}: ${reasons.join("; ")}`),
    ),
    ...named("Not the same:", findings),
    ...named("Left as they are, because the vault does not have the same:", left),
  ].join("\n");
}

function named(heading: string, lines: readonly string[]): readonly string[] {
  if (lines.length === 0) return [];
  const rest = lines.length - MOST_NAMED;
  const shown = lines.slice(0, MOST_NAMED).map((line) => `  - ${line}`);
  return [heading, ...shown, ...(rest > 0 ? [`  and ${count(rest)} more; --json names them`] : [])];
}
