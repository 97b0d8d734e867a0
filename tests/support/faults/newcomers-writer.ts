// A process that writes records about people whom nobody knew before, alone and in batches, until it is killed. Two of
// them that are given the same names make the same people at the same time. It begins when it is told to, with a line on
// its standard input, and writes a line when a write begins and when it was acknowledged.
import { randomUUID } from "node:crypto";
import { openSync, writeSync } from "node:fs";
import { createInterface } from "node:readline";
import { isVaultError } from "@strongroom/vault";
import type { Vault } from "@strongroom/vault";
import { openKeyedVault } from "./keyed-place.ts";
import { PEOPLE, type NewcomersLine, type NewcomersTask, type NewRecord } from "./newcomers-task.ts";

/** Records of the largest batch. */
const MOST = 8;

async function write(vault: Vault): Promise<void> {
  for (let number = 0; ;) {
    const size = Math.random() < 0.6 ? 1 : 2 + Math.floor(Math.random() * (MOST - 1));
    const records = Array.from({ length: size }, (_, n) => ({
      id: `${task.writer}-${number + n}`,
      subject: `${task.names}-${number + n}`,
      token: randomUUID(),
    }));
    number += size;
    const call = randomUUID();
    say({ call, records });
    try {
      if (size > 1) await batch(vault, records);
      else
        for (const { id, subject, token } of records)
          await vault.put({ collection: PEOPLE, id }, { token }, { subject, expect: { kind: "absent" } });
      say({ call, answer: "acknowledged" });
    } catch (error) {
      if (!isVaultError(error)) throw error;
      say({ call, answer: error.code });
    }
  }
}

async function batch(vault: Vault, records: readonly NewRecord[]): Promise<void> {
  const items = records.map(({ id, subject, token }) => ({ id, subject, document: { token } }));
  for (const result of await vault.putMany(PEOPLE, items, { onExisting: "keep" }))
    if (result.outcome !== "created") throw new Error(`a record of a batch was not created: ${JSON.stringify(result)}`);
}

/** A connection that is broken off meanwhile is no reason to end. */
async function opened(): Promise<Vault> {
  for (;;)
    try {
      return await openKeyedVault(task.place, task.key);
    } catch (error) {
      if (!isVaultError(error) || error.code !== "store-failed") throw error;
    }
}

/** Written at once: what is in the kernel's hands survives the death of the process. */
function say(line: NewcomersLine): void {
  writeSync(log, `${JSON.stringify(line)}\n`);
}

const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
process.stdout.write("ready\n");
const task = JSON.parse(String((await lines.next()).value)) as NewcomersTask;
const log = openSync(task.log, "a", 0o600);
await write(await opened());
