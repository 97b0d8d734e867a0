// What records are found by: indexes that are declared and not built, and those whose tags tell more of people than
// anybody has accepted.
import {
  type Indexes,
  type IndexRow,
  isTooMuch,
  isVaultError,
  leakageOf,
  parseCollection,
  type Store,
} from "@strongroom/vault";
import { printable } from "@strongroom/base/terminal";
import type { Config } from "../config/config.ts";
import { CliError } from "../errors.ts";
import { openToRead } from "../store/open.ts";
import { type Check, type Finding, partsOf } from "./check.ts";

type Declared = Config["collections"];

/** A line for each that something is the matter with, or one that nothing is. */
export const checkIndexes: Check = async (subject) => {
  const { collections } = subject.loaded.config;
  try {
    const opened = await openToRead(partsOf(subject), "records");
    if (opened === null) return [];
    try {
      const { indexes } = opened.store;
      return await indexFindings(opened.store, indexes, collections);
    } finally {
      await opened.close();
    }
  } catch (error) {
    // What keeps a store from being read is a finding of its own check.
    if (error instanceof CliError || isVaultError(error)) return [];
    throw error;
  }
};

async function indexFindings(
  { records }: Pick<Store, "records">,
  store: Indexes,
  declared: Declared,
): Promise<readonly Finding[]> {
  const rows = (await store.list()).indexes.filter(({ state }) => state !== "dropped");
  const findings: Finding[] = [];
  for (const row of rows) {
    if (row.state === "building") findings.push(unbuilt(row, "is not built to its end, and nothing is found by it"));
    else if (!indexNames(declared[row.collection]).includes(row.name))
      findings.push(unbuilt(row, "is not declared here: no process with this configuration writes to the collection"));
    else for (const one of await leakageFindings(row, store, declared)) findings.push(one);
  }
  for (const [name, options] of Object.entries(declared)) {
    const missing = indexNames(options).filter(
      (index) => !rows.some((row) => row.collection === name && row.name === index),
    );
    if (missing.length === 0 || !(await hasRecords(records, name))) continue;
    for (const index of missing)
      findings.push(
        unbuilt({ collection: name, name: index }, "is declared and not there, and nothing is found by it"),
      );
  }
  if (findings.length > 0 || rows.length === 0) return findings;
  return [{ what: "Indexes", severity: "ok", detail: `${rows.length} are built, and tell no more than was accepted` }];
}

/** As the vault names them. */
function indexNames({ fields = {}, indexes = {} }: Declared[string] = {}): readonly string[] {
  const ofFields = Object.entries(fields).flatMap(([path, { find, alone, prefix, buckets }]) =>
    find === undefined || alone === false
      ? []
      : [
          path,
          ...(prefix === undefined ? [] : [`${path}:prefix`]),
          ...(buckets === undefined ? [] : [`${path}:range`]),
        ],
  );
  return [...ofFields, ...Object.keys(indexes)];
}

async function hasRecords(records: Store["records"], collection: string): Promise<boolean> {
  const found = await records.list(parseCollection(collection), { after: null, limit: 1 });
  return found !== null && found.length > 0;
}

const unbuilt = (
  { collection, name }: { readonly collection: string; readonly name: string },
  detail: string,
): Finding => ({
  what: `Index ${printable(`${collection}/${name}`)}`,
  severity: "warning",
  detail,
  remedy:
    "strongroom collection plan shows what is declared beside what there is, strongroom collection apply brings it " +
    "there.",
});

async function leakageFindings(
  { id, collection, name }: IndexRow,
  store: Indexes,
  declared: Declared,
): Promise<readonly Finding[]> {
  const { fields = {}, indexes = {} } = declared[collection] ?? {};
  const [path = ""] = name.split(":");
  const isAccepted = (indexes[name] ?? fields[path])?.leaks === "accepted";
  const told = leakageOf(await store.frequencies(id));
  if (!isTooMuch(told, isAccepted)) return [];
  return [
    {
      what: `Index ${printable(`${collection}/${name}`)}`,
      severity: "warning",
      detail:
        `who has the database and knows how often each value comes names ${(100 * told.named).toFixed(1)} % of its ` +
        `${told.tags.toLocaleString("en")} values by their frequency, and nobody has accepted that`,
      remedy:
        'Find by it together with another field (indexes, and alone: false), or accept it (leaks: "accepted"): ' +
        "docs/search.md says what it tells.",
    },
  ];
}
