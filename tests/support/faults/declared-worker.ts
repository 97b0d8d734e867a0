// A process of a vault that knows the key sets that it is told of, and says what came of each read and write that it is
// asked for. It ends when its standard input does.
import { openSync, writeSync } from "node:fs";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { isVaultError, openVault } from "@strongroom/vault";
import { openStores } from "./keyed-place.ts";
import type { KeyedPlace } from "./keyed-place.ts";
import { keySetOf } from "./keys.ts";
import type { TestKey } from "./keys.ts";
import { SCOPED } from "./rotated-place.ts";
import type { ScopedCollection } from "./rotated-place.ts";

/** What the process is told first. */
export interface DeclaredTask {
  readonly place: KeyedPlace;
  /** The current key set, and the next one. */
  readonly keys: readonly [TestKey, TestKey?];
  readonly log: string;
}

/** Then, a record that it is to write or to read. */
export interface DeclaredOrder {
  readonly does: "put" | "get" | "apply";
  readonly collection: ScopedCollection;
  readonly id: string;
}

/** `ready`, `done`, or the code of an error. */
export interface DeclaredLine {
  readonly answer: string;
}

function say(answer: string): void {
  writeSync(log, `${JSON.stringify({ answer } satisfies DeclaredLine)}\n`);
}

const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const task = JSON.parse(String((await lines.next()).value)) as DeclaredTask;
const log = openSync(task.log, "a", 0o600);
const { store, keyStore } = await openStores(task.place);
const [current, next] = task.keys;
await using vault = await openVault({
  ...{ store, ...keySetOf(current), keys: { store: keyStore, cache: { maxAgeMs: 1 } }, collections: SCOPED },
  ...(next === undefined ? {} : { next: keySetOf(next) }),
  repair: { leaseMs: 2_000, intervalMs: 100, lookMs: 20 },
});
// It says that it is there beside its opening. Ready it is when the others have seen it.
const isSeen = async (): Promise<boolean> =>
  (await vault.convergence.status()).fleet.some(({ process: name }) => name.includes(`-${process.pid}-`));
while (!(await isSeen())) await sleep(10);
say("ready");
for (let line = await lines.next(); line.done !== true; line = await lines.next()) {
  const { does, ...address } = JSON.parse(line.value) as DeclaredOrder;
  try {
    if (does === "get") await vault.get(address);
    else if (does === "put") await vault.put(address, { of: address.id });
    else await vault.convergence.apply({ rate: 10_000 });
    say("done");
  } catch (error) {
    say(isVaultError(error) ? error.code : String(error));
  }
}
