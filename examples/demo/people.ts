// The example people: every one invented.
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";

/** Where they are. */
export const PEOPLE_FILE: string = fileURLToPath(new URL("people.ndjson", import.meta.url));

/** One of them; they have more fields than these. */
export interface Person {
  readonly id: string;
  readonly name: string;
  readonly email: string;
  readonly phone: string;
  readonly address: { readonly lines: readonly string[] };
}

/** Reads them all. */
export async function readPeople(): Promise<readonly Person[]> {
  const text = await readFile(PEOPLE_FILE, "utf8");
  return text
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as Person);
}
