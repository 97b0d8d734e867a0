// A process that stands still between the wrap of a data key and the commit: it stops itself when a write has been
// wrapped for the first time, until somebody lets it go on. Tells what came of each write.
import { createInterface } from "node:readline";
import type { Keyring } from "@strongroom/envelope";
import { isVaultError, openVault } from "@strongroom/vault";
import { keyringOf, keySetOf } from "./keys.ts";
import { openPlace } from "./place.ts";
import { COLLECTION, type WriterTask } from "./task.ts";

/** Stops the process after the first wrap of a write. */
function stopping(keyring: Keyring): Keyring {
  return {
    async onEncrypt(...given: Parameters<Keyring["onEncrypt"]>) {
      const wrapped = await keyring.onEncrypt(...given);
      if (isToStop) process.kill(process.pid, "SIGSTOP");
      isToStop = false;
      return wrapped;
    },
    onDecrypt: (...given: Parameters<Keyring["onDecrypt"]>) => keyring.onDecrypt(...given),
  };
}

let isToStop = false;
const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const task = JSON.parse(String((await lines.next()).value)) as Pick<WriterTask, "place" | "keys">;
const [key, next] = task.keys;
await using vault = await openVault({
  store: await openPlace(task.place),
  keyring: stopping(keyringOf(key)),
  keySet: [key.name],
  ...(next === undefined ? {} : { next: { ...keySetOf(next), keyring: stopping(keyringOf(next)) } }),
});
process.stdout.write("ready\n");
for (let line = await lines.next(); line.done !== true; line = await lines.next()) {
  isToStop = true;
  try {
    const { version } = await vault.put({ collection: COLLECTION, id: line.value }, { of: line.value });
    process.stdout.write(`made ${version}\n`);
  } catch (error) {
    process.stdout.write(`${isVaultError(error) ? error.code : String(error)}\n`);
  }
}
