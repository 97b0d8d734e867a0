/**
 * A process of its own over a store in SQLite: `writer-process.ts PATH MODE`. `write` writes records one after the other
 * and prints the id of each that was acknowledged; `idle` opens the store, writes one and leaves it open; `close` closes
 * it again and does nothing more; `linger` does so when the mark that it keeps was flushed.
 */
import { randomUUID } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import { sqliteStore } from "@strongroom/vault/sqlite";
import { make, write } from "./records.ts";

const [path = "", mode = ""] = process.argv.slice(2);
const store = await sqliteStore(path, { mark: mode === "linger" });
await make(store, write("first", null, 1));
if (mode === "write") {
  for (;;) {
    const id = randomUUID();
    await make(store, write(id, null, 1));
    process.stdout.write(`${id}\n`);
  }
}
// Longer than the mark waits.
if (mode === "linger") await delay(1500);
if (mode === "close" || mode === "linger") await store.close();
