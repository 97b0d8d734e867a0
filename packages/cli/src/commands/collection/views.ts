// Indexes, and the work on them, as a person sees them.
import { setTimeout as delay } from "node:timers/promises";
import { printable, renderTable, type Style, type Terminal } from "@strongroom/base/terminal";
import type { Client, CollectionInfo, IndexPlanLine, IndexWork } from "@strongroom/client";
import type { CommandContext } from "../../command.ts";
import { CliError } from "../../errors.ts";

type Step = IndexPlanLine["step"];

const STEPS: Readonly<Record<Step, readonly [text: string, style: Style]>> = {
  ready: ["ready", "green"],
  build: ["to be built", "yellow"],
  building: ["not built to its end", "yellow"],
  rekey: ["under an older key", "yellow"],
  drop: ["not declared: to be dropped", "yellow"],
  purge: ["dropped, with tags left", "yellow"],
};

/** What is the matter with an index. */
export function stepText(step: Step, terminal: Terminal): string {
  const [text, style] = STEPS[step];
  return terminal.style(style, text);
}

/** Whether there is anything to do; what a collection without records declares it gets with its first one. */
export function hasWork(indexes: readonly IndexPlanLine[], collections: readonly CollectionInfo[]): boolean {
  const filled = new Set(collections.filter(({ records }) => records > 0).map(({ collection }) => collection));
  return indexes.some(({ step, collection }) => step !== "ready" && (step !== "build" || filled.has(collection)));
}

export function planTable(indexes: readonly IndexPlanLine[], terminal: Terminal): string {
  if (indexes.length === 0) return "No collection declares a field to find by.";
  return renderTable(
    [
      { heading: "COLLECTION" },
      { heading: "INDEX" },
      { heading: "UNIQUE" },
      { heading: "FIELDS" },
      { heading: "STATE" },
    ],
    indexes.map(({ collection, index, isUnique, fields, step }) => [
      ...[collection, index, isUnique ? "yes" : "no", fields.join(", ") || "-"],
      stepText(step, terminal),
    ]),
    terminal.width,
  );
}

/** How often the service is asked how far it is, in milliseconds. */
const LOOK_MS = 300;

/**
 * Follows a work until it has ended.
 *
 * @throws CliError `service-refused`: it failed, or the process that did it knows nothing of it any more
 */
export async function followWork(
  client: Client,
  begun: IndexWork,
  { terminal, signal }: CommandContext,
  collections: readonly CollectionInfo[],
): Promise<IndexWork> {
  const total = collections
    .filter(({ collection }) => begun.collection === null || collection === begun.collection)
    .reduce((sum, { records }) => sum + records, 0);
  const { startProgress } = await import("@strongroom/base/terminal/progress");
  const progress = startProgress(terminal, { label: "opening records", total: total === 0 ? null : total });
  try {
    let work = begun;
    while (work.state === "running") {
      progress.update(Math.min(work.records, total), work.records);
      await delay(LOOK_MS, undefined, { signal });
      const now = await client.indexes.work();
      if (now?.id !== begun.id)
        throw new CliError("service-refused", {
          title: "The work is not to be followed any more",
          detail: "The process of the service that did it has ended, or another one answers.",
          remedy: "strongroom jobs says how far it is. What was built stays; strongroom collection apply goes on.",
        });
      work = now;
    }
    if (work.problem === null) return work;
    const { code, detail } = work.problem;
    throw new CliError("service-refused", {
      title: "The work on indexes failed",
      detail: `${detail} [${code}]`,
      remedy: "What was built stays; strongroom collection apply goes on from there.",
    });
  } catch (error) {
    if (!signal.aborted) throw error;
    throw new CliError("interrupted", { cause: error });
  } finally {
    progress.stop();
  }
}

/** Named one by one for a person; JSON output names all. */
const MOST_NAMED = 20;

function named(lines: readonly string[]): readonly string[] {
  const rest = lines.length - MOST_NAMED;
  return [...lines.slice(0, MOST_NAMED), ...(rest > 0 ? [`and ${rest} more; --json names them`] : [])];
}

/** What became of applying, rotating or dropping. */
export function appliedView(
  { built, dropped, purged, records, duplicates, unopened }: NonNullable<IndexWork["applied"]>,
  terminal: Terminal,
): string {
  const lines = [
    ...(built.length === 0 ? [] : [`Built: ${built.map((name) => printable(name)).join(", ")}`]),
    ...(dropped.length === 0 ? [] : [`Dropped: ${dropped.map((name) => printable(name)).join(", ")}`]),
    `${records.toLocaleString("en")} records were opened, ${purged.toLocaleString("en")} tags taken away.`,
  ];
  const twice = duplicates.map(
    ({ collection, index, ids }) =>
      `${printable(`${collection}/${index}`)}: ${ids.map((id) => printable(id)).join(", ")}`,
  );
  if (twice.length > 0)
    lines.push(
      terminal.style(
        "red",
        "NOT READY: these records have one value, and it is to be unique. Change them, and apply again:",
      ),
    );
  return [...lines, ...named(twice), ...unopenedLines(unopened, terminal)].join("\n");
}

export function documentsView(
  { records, unfitCount, unfit, unopened }: NonNullable<IndexWork["documents"]>,
  terminal: Terminal,
): string {
  return [
    `${records.toLocaleString("en")} documents were held to what is declared; ${unfitCount.toLocaleString("en")} do not fit.`,
    ...named(
      unfit.map(
        ({ collection, id, fields }) =>
          `${printable(`${collection}/${id}`)}: ${fields.map((path) => printable(path)).join(", ")}`,
      ),
    ),
    ...unopenedLines(unopened, terminal),
  ].join("\n");
}

function unopenedLines(unopened: NonNullable<IndexWork["applied"]>["unopened"], terminal: Terminal): readonly string[] {
  if (unopened.length === 0) return [];
  return [
    terminal.style("red", "These records could not be opened, or have too many values, and are not found:"),
    ...named(unopened.map(({ collection, id, code }) => `${printable(`${collection}/${id}`)}: ${printable(code)}`)),
  ];
}
