/**
 * A process that opens a store, which moves what there is to be moved: `mover-process.ts PATH FROM`. Prints each step.
 */
import { sqliteStore } from "@strongroom/vault/sqlite";

const [path = "", from = ""] = process.argv.slice(2);
const store = await sqliteStore(path, {
  mark: true,
  moveFrom: {
    path: from,
    wrapsOf: (message) => [{ provider: "test", key: `key-${(message[0] ?? 0) % 2}`, material: null }],
    onProgress: ({ done, total }) => process.stdout.write(`${done} of ${total}\n`),
  },
});
process.stdout.write("open\n");
await store.close();
