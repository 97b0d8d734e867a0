// The people that the end-to-end tests store: the example people that the project carries, and the public sample of 537
// where it is at hand.
import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

export type Person = Readonly<Record<string, unknown>> & { readonly id: string };

/** NDJSON of invented people, carried by the project. */
export const EXAMPLE_PEOPLE: string = fileURLToPath(new URL("../../examples/demo/people.ndjson", import.meta.url));

const SAMPLE =
  process.env["STRONGROOM_PEOPLE"] ?? fileURLToPath(new URL("../../../shared/data/people.ndjson", import.meta.url));

/** The larger public sample, or null where it is absent. */
export const PUBLIC_SAMPLE: string | null = existsSync(SAMPLE) ? SAMPLE : null;

export function readPeople(path: string): Person[] {
  return readFileSync(path, "utf8")
    .split("\n")
    .filter((line) => line.trim() !== "")
    .map((line) => JSON.parse(line) as Person);
}
