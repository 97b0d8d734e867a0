// How the figures of the stores are worded, on the terminal, on the page and in the pictures alike.

import { numberText } from "../harness/words.ts";

import type { StoreRowReport, StoresReport, StoreVerdict } from "./report.ts";
import { STORES, WORKS, type ContenderId, type StoreKind } from "./rows.ts";

export const CONTENDER_TITLES: Readonly<Record<ContenderId, string>> = {
  vault: "vault",
  clear: "the same rows in clear",
  record: "record scope",
  subject: "subject scope",
  tenant: "tenant scope",
  people: "the same rows in clear",
  audited: "with audit",
  unaudited: "without audit",
  commit: "a durable entry alone",
};

const RATIO = new Intl.NumberFormat("en", { minimumSignificantDigits: 3, maximumSignificantDigits: 3 });
const COUNT = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });

export const ratioText = (ratio: number): string => `${RATIO.format(ratio)}x`;
export const countText = (count: number): string => COUNT.format(count);
export const msText = (ms: number): string => `${numberText(ms)} ms`;

export function processesText(processes: number): string {
  return processes === 1 ? "1 process" : `${processes} processes`;
}

/** Such as "SQLite, get, 64 at once in each process". */
export function workText({ store, work, atOnce }: Pick<StoreRowReport, "store" | "work" | "atOnce">): string {
  return `${STORES[store].title}, ${WORKS[work].title}, ${atOnce === 1 ? "one" : atOnce} at once in each process`;
}

/** What is asked of the vault, such as "at least 0.8x of one process". */
export function storeTargetText({ target }: StoreVerdict): string {
  if (target.kind === "latency") return `p99 below ${target.below} ms`;
  if (target.kind === "added") return `audit adds at most one commit and ${target.moreMs} ms`;
  const other = target.contender === "vault" ? "what one process does" : CONTENDER_TITLES[target.contender];
  const own = target.of === undefined ? "" : `${CONTENDER_TITLES[target.of]} `;
  return `${own}at least ${target.atLeast}x ${other}`;
}

/** What was measured against it. */
export function storeMeasuredText({ target, measured }: StoreVerdict): string {
  if (measured === null) return "not measured here";
  if (target.kind === "added") return `the commit and ${msText(measured)}`;
  return target.kind === "latency" ? msText(measured) : ratioText(measured);
}

/** Targets met, missed and not measured. */
export function countStoreOutcomes(report: StoresReport): Readonly<Record<StoreVerdict["outcome"], number>> {
  const count = { met: 0, missed: 0, "not-measured": 0 };
  for (const { outcome } of report.rows.flatMap(({ verdicts }) => verdicts)) count[outcome] += 1;
  return count;
}

/** The rows of one kind of work on one store, for however many processes. */
export function groupsOf(report: StoresReport): readonly (readonly StoreRowReport[])[] {
  return [...Map.groupBy(report.rows, workText).values()];
}

export const storeTitle = (store: StoreKind): string => STORES[store].title;
