/**
 * A writer in a process of its own: `writer.ts PATH KEY_HEX ID ROUNDS MODE`. Prints one line of JSON for each write
 * that was acknowledged, so that a test can hold the vault to it, also after killing the process.
 */
import { setImmediate as turn } from "node:timers/promises";
import { openVault } from "@strongroom/vault";
import { sqliteStore } from "@strongroom/vault/sqlite";
import { aesKeyring } from "./vault.ts";

const [path = "", key = "", id = "", rounds = "0", mode = ""] = process.argv.slice(2);
const vault = await openVault({ store: await sqliteStore(path), keyring: aesKeyring(Buffer.from(key, "hex")) });
const address = { collection: "people", id };

/** Adds one to a counter, by compare-and-swap: a lost update would be missing in the sum. */
async function increment(): Promise<void> {
  for (;;) {
    const current = await vault.get(address);
    const n = Number(current.document["n"]) + 1;
    try {
      const { version } = await vault.put(address, { n }, { expect: { kind: "version", version: current.version } });
      acknowledge({ n, version });
      return;
    } catch (error) {
      if ((error as { code?: string }).code !== "version-conflict") throw error;
    }
  }
}

function acknowledge(what: object): void {
  process.stdout.write(`${JSON.stringify(what)}\n`);
}

const MODES: Readonly<Record<string, (round: number) => Promise<void>>> = {
  increment,
  /** Writes whatever is there, again and again. */
  any: async (round) => {
    acknowledge({ version: (await vault.put(address, { by: process.pid, round })).version });
  },
  /** Writes records of its own, a batch at a time. */
  batch: async (round) => {
    const items = Array.from({ length: 5 }, (_, n) => ({ id: `${id}-${round}-${n}`, document: { round, n } }));
    await vault.putMany("people", items, { onExisting: "compare" });
    for (const item of items) acknowledge({ id: item.id });
  },
};

for (let round = 0; round < Number(rounds); round++) {
  await MODES[mode]!(round);
  await turn();
}
await vault.close();
