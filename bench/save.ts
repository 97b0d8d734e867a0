// docs/performance.md is made of what four runs have left: the library beside its peers, the stores, the scopes, and
// the audit. Each keeps its figures in a file of its own, and the page is written anew from all, so that none wipes out
// another's.

import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";

import { auditSectionOf } from "./audit/section.ts";
import { pageOf } from "./harness/page.ts";
import { plotOf } from "./harness/plot.ts";
import type { Report } from "./harness/report.ts";
import { scopesSectionOf } from "./scopes/section.ts";
import { growthPlotOf, ratesPlotOf } from "./stores/plots.ts";
import type { StoresReport } from "./stores/report.ts";
import { sectionOf } from "./stores/section.ts";

/** Where the page is. */
export const DOCS: URL = new URL("../docs/", import.meta.url);

const PEERS = { json: "performance.json", picture: "pictures/performance.svg" } as const;
const STORES = {
  json: "performance-stores.json",
  rates: "pictures/performance-stores.svg",
  growth: "pictures/performance-stores-growth.svg",
} as const;

const SCOPES = { json: "performance-scopes.json" } as const;
const AUDIT = { json: "performance-audit.json" } as const;

/** Keeps what the run beside the peers found. `docs` is a folder's URL, with a slash at its end. */
export function savePeers(report: Report, docs: URL): void {
  write(docs, PEERS.json, jsonOf(report));
  write(docs, PEERS.picture, plotOf(report));
  writePage(docs);
}

/** Keeps what the run of the stores found. */
export function saveStores(report: StoresReport, docs: URL): void {
  write(docs, STORES.json, jsonOf(report));
  write(docs, STORES.rates, ratesPlotOf(report));
  write(docs, STORES.growth, growthPlotOf(report));
  writePage(docs);
}

/** Keeps what the run of the scopes found. */
export function saveScopes(report: StoresReport, docs: URL): void {
  write(docs, SCOPES.json, jsonOf(report));
  writePage(docs);
}

/** Keeps what the run of the audit found. */
export function saveAudit(report: StoresReport, docs: URL): void {
  write(docs, AUDIT.json, jsonOf(report));
  writePage(docs);
}

function writePage(docs: URL): void {
  const peers = read(docs, PEERS.json) as Report | null;
  if (peers === null) throw new Error(`The page begins with the figures of ${PEERS.json}, which is not there`);
  const stores = read(docs, STORES.json) as StoresReport | null;
  const scopes = read(docs, SCOPES.json) as StoresReport | null;
  const audit = read(docs, AUDIT.json) as StoresReport | null;
  const sections = [
    ...(stores === null ? [] : [sectionOf(stores, STORES)]),
    ...(scopes === null ? [] : [scopesSectionOf(scopes, SCOPES)]),
    ...(audit === null ? [] : [auditSectionOf(audit, AUDIT)]),
  ];
  write(docs, "performance.md", pageOf(peers, PEERS, sections));
}

/** What a run has left, as this same program wrote it; null when there was none. */
function read(docs: URL, name: string): unknown {
  const file = new URL(name, docs);
  return existsSync(file) ? JSON.parse(readFileSync(file, "utf8")) : null;
}

function write(docs: URL, name: string, text: string): void {
  const file = new URL(name, docs);
  mkdirSync(new URL(".", file), { recursive: true });
  writeFileSync(file, text);
}

const jsonOf = (figures: unknown): string => `${JSON.stringify(figures, null, 2)}\n`;
