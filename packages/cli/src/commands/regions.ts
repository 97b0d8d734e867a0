// `strongroom regions`: the health of each region as the service saw it in real calls.
import type { RegionInfo, RegionsAnswer } from "../client/answers.ts";
import { openClient } from "../client/open.ts";
import { command, type CommandSpec } from "../command/spec.ts";
import { renderTable } from "../terminal/table.ts";
import type { Style, Terminal } from "../terminal/terminal.ts";

const STATE_STYLE: Readonly<Record<RegionInfo["state"], Style>> = { up: "green", down: "red", unknown: "dim" };

/** `strongroom regions`. */
export const regionsCommand: CommandSpec = command({
  name: "regions",
  heading: "Looking after it",
  summary: "show the health of each region, as seen in real calls",
  flagGroups: ["client"],
  options: {},
  examples: [{ line: "npx strongroom regions", meaning: "state, latency and the last failure of each region" }],
  run: async (invocation) => {
    const { terminal } = invocation.context;
    const client = await openClient(invocation);
    const answer = await client.regions();
    terminal.result(answer, () => [regionTable(answer.regions, terminal), "", debtLine(answer)].join("\n"));
  },
});

function debtLine({ minimum, wrapDebt }: RegionsAnswer): string {
  const enough = `A write needs ${minimum} regions.`;
  if (wrapDebt.items === 0) return `${enough} No wrap is owed.`;
  return `${enough} Wraps owed: ${wrapDebt.regions.map(({ region, items }) => `${items.toLocaleString("en")} in ${region}`).join(", ")}.`;
}

/** The table of regions, nearest first. */
export function regionTable(regions: readonly RegionInfo[], terminal: Terminal): string {
  return renderTable(
    [
      { heading: "REGION" },
      { heading: "STATE" },
      { heading: "P50", align: "right" },
      { heading: "P95", align: "right" },
      { heading: "CALLS", align: "right" },
      { heading: "FAILED", align: "right" },
      { heading: "LAST FAILURE" },
    ],
    regions.map(({ region, state, latencyMs, calls, failures, lastFailure }) => [
      region,
      terminal.style(STATE_STYLE[state], state),
      latencyMs === null ? "-" : `${latencyMs.p50.toFixed(1)} ms`,
      latencyMs === null ? "-" : `${latencyMs.p95.toFixed(1)} ms`,
      calls.toLocaleString("en"),
      failures.toLocaleString("en"),
      lastFailure === null ? "-" : `${lastFailure.kind} at ${lastFailure.at}`,
    ]),
  );
}
