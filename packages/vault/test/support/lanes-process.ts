/**
 * A process that writes entries on lanes, as the audit does. `lanes-process.ts FOLDER LANES`. Each lane gives the next
 * number to one transaction at a time: readers' entries in groups, and units with theirs. Prints a line for each number
 * that was acknowledged: store, stream, number. It goes on until it is killed.
 */
import { join } from "node:path";
import { sqliteKeyStore, sqliteStore } from "@strongroom/vault/sqlite";
import { newEntries, newStream, withEntry } from "../../src/store-contract/entries.ts";
import type { WithOutbox } from "../../src/store-contract/entries.ts";
import { write } from "./records.ts";

const [folder = "", lanes = "1"] = process.argv.slice(2);
const records = await sqliteStore(join(folder, "records.sqlite"));
const keys = await sqliteKeyStore(join(folder, "keys.sqlite"));

async function lane(name: string, store: WithOutbox): Promise<never> {
  const stream = newStream();
  for (let last = 0; ;) {
    const entries = newEntries(1 + (last % 5), stream, last);
    const result = await store.outbox.append(entries, []);
    if (result.kind !== "made") throw new Error(JSON.stringify(result));
    last += entries.length;
    process.stdout.write(`${name} ${stream} ${last}\n`);
    if (name !== "records") continue;
    const unit = withEntry(write(`${stream}-${last}`, null, 1), stream, last + 1);
    const [made] = await records.records.apply([unit], { atomic: true });
    if (made?.kind !== "made") throw new Error(JSON.stringify(made));
    last += 1;
    process.stdout.write(`${name} ${stream} ${last}\n`);
  }
}

await Promise.all(
  Array.from({ length: Number(lanes) }, (_, index) =>
    index % 3 === 2 ? lane("keys", keys) : lane("records", records),
  ),
);
