/**
 * A process of its own over a store in SQLite: `writer-process.ts PATH MODE`. `write` writes records one after the other
 * and prints the id of each that was acknowledged; `idle` opens the store, writes one and leaves it open; `close` closes
 * it again and does nothing more.
 */
import { randomUUID } from "node:crypto";
import { sqliteStore } from "@strongroom/vault/sqlite";
import { make, write } from "./records.ts";

const [path = "", mode = ""] = process.argv.slice(2);
const store = await sqliteStore(path);
await make(store, write("first", null, 1));
if (mode === "write") {
  for (;;) {
    const id = randomUUID();
    await make(store, write(id, null, 1));
    process.stdout.write(`${id}\n`);
  }
}
if (mode === "close") await store.close();
