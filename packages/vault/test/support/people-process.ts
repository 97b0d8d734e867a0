/**
 * A process that makes people and writes about them, as a vault does: key store first, record second.
 * `people-process.ts FOLDER NAME COUNT`. Everybody who is given the same names makes the same people. Prints a line for
 * each record that was acknowledged: its id, and whom it is about.
 */
import { createHash } from "node:crypto";
import { join } from "node:path";
import type { SubjectId } from "@strongroom/vault";
import { sqliteKeyStore, sqliteStore } from "@strongroom/vault/sqlite";
import { EPOCH, at } from "../../src/store-contract/changes.ts";
import { newcomer } from "../../src/store-contract/key-changes.ts";
import { writeAbout } from "../../src/store-contract/people.ts";
import { make } from "./records.ts";

const [folder = "", name = "", count = "0"] = process.argv.slice(2);
const keys = await sqliteKeyStore(join(folder, "keys.sqlite"));
const records = await sqliteStore(join(folder, "records.sqlite"));

/** Whoever has that name: made, if nobody has. */
async function personOf(n: number): Promise<SubjectId> {
  const tag = createHash("sha256").update(`person ${n}`).digest();
  const [known] = await keys.keys.resolve([tag]);
  if (known !== null && known !== undefined) return known;
  const creation = newcomer();
  const made = { ...creation, epoch: EPOCH.none, name: { ...creation.name, tag } };
  const [result] = await keys.keys.create([made]);
  if (result?.kind === "made") return creation.name.id;
  if (result?.kind === "exists" && result.id !== null) return result.id;
  throw new Error(`nobody was made: ${JSON.stringify(result)}`);
}

for (let n = 0; n < Number(count); n++) {
  const person = await personOf(n);
  const id = `${name}-${n}`;
  await make(records, writeAbout(person, at(id), null, 1, { at: EPOCH.none }));
  process.stdout.write(`${n} ${id} ${person}\n`);
}
await keys.close();
await records.close();
