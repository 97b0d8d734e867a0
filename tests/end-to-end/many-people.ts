// For tests: many invented people, imported by the command into an installation, and what is owed afterwards.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Installation } from "./installation.ts";

/** What an import and the regions said. */
export interface ManyImported {
  readonly report: {
    readonly created: number;
    /** Region -> versions whose wrap was missing when they were written. */
    readonly missingWraps: Readonly<Record<string, number>>;
  };
  /** Versions that owe a wrap when the import has ended. */
  readonly owed: number;
  readonly seconds: number;
}

/** Imports `count` people. Throws what the command said where it failed. */
export async function importMany(installation: Installation, count: number): Promise<ManyImported> {
  const file = join(installation.folder, "many.ndjson");
  writeFileSync(file, Array.from({ length: count }, (_, index) => `${JSON.stringify(person(index))}\n`).join(""));
  const begun = performance.now();
  const imported = await installation.run(["import", "many", file, "--id", "id", "--json"]);
  const seconds = (performance.now() - begun) / 1000;
  if (imported.code !== 0) throw new Error(`the import ended with ${imported.code}: ${imported.stderr}`);
  const regions = await installation.run(["regions", "--json"]);
  if (regions.code !== 0) throw new Error(`regions ended with ${regions.code}: ${regions.stderr}`);
  const { wrapDebt } = JSON.parse(regions.stdout) as { readonly wrapDebt: { readonly items: number } };
  return {
    report: JSON.parse(imported.stdout) as ManyImported["report"],
    owed: wrapDebt.items,
    seconds,
  };
}

/** An invented person, of the size of a real one. */
function person(index: number): object {
  return {
    id: `m-${index}`,
    name: { family: `Family-${index % 977}`, given: `Given-${index % 331}` },
    email: `person-${index}@example.org`,
    phone: `+49 30 ${String(index).padStart(7, "0")}`,
    address: { street: `Street ${index % 400}`, postcode: String(index % 99_999).padStart(5, "0"), city: "Town" },
    born: `19${10 + (index % 90)}-0${1 + (index % 9)}-1${index % 10}`,
    note: "x".repeat(index % 200),
  };
}
