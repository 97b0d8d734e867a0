// A process that stands still between a wrap and its commit, until somebody lets it go on: as one that writes, after the
// first wrap of a write; as one that works on a run, before one of its changes. Tells what came of it.
import { openSync, writeSync } from "node:fs";
import { createInterface } from "node:readline";
import type { Keyring } from "@strongroom/envelope";
import { isVaultError, openVault } from "@strongroom/vault";
import type { KeySetInput, KeyStore, Store } from "@strongroom/vault";
import { overlaid, storeWith } from "../../../packages/vault/test/support/store-with.ts";
import { openStores } from "./keyed-place.ts";
import type { KeyedPlace } from "./keyed-place.ts";
import { keySetOf } from "./keys.ts";
import type { TestKey } from "./keys.ts";
import { SCOPED } from "./rotated-place.ts";
import type { ScopedCollection } from "./rotated-place.ts";

/** What the process is told first. */
export interface StopTask {
  readonly place: KeyedPlace;
  readonly keys: readonly [TestKey, TestKey];
  /** How long a lease holds of one that works on runs; null: it writes. */
  readonly works: number | null;
  readonly log: string;
}

/** What it is told then: to write, or to stop before the so manyth of its changes of a run. */
export type StopOrder = { readonly collection: ScopedCollection; readonly id: string } | { readonly stopAt: number };

/** It is ready; it stops before that; that came of what it had in hand. */
export type StopLine = { readonly ready: true } | { readonly stops: string } | { readonly result: string };

function say(line: StopLine): void {
  writeSync(log, `${JSON.stringify(line)}\n`);
}

const turns = { left: 0 };

/** A change of a run, before which the process stops when it is its turn. */
const stopping =
  <Given extends readonly unknown[], Result>(
    name: string,
    call: (...given: Given) => Promise<Result>,
    resultOf: (result: Result) => string,
  ) =>
  async (...given: Given): Promise<Result> => {
    turns.left--;
    if (turns.left !== 0) return call(...given);
    say({ stops: name });
    process.kill(process.pid, "SIGSTOP");
    const result = await call(...given);
    say({ result: resultOf(result) });
    return result;
  };

function working({ store, keyStore }: { readonly store: Store; readonly keyStore: KeyStore }): {
  readonly store: Store;
  readonly keyStore: KeyStore;
} {
  const { inventory, kept } = store;
  const kindOf = ({ kind }: { readonly kind: string }): string => kind;
  return {
    store: storeWith(store, {
      inventory: { rewrap: stopping("seal", (change) => inventory.rewrap(change), kindOf) },
      kept: overlaid(kept, {
        drop: stopping(
          "drop",
          (items, lease) => kept.drop(items, lease),
          () => "asked to drop",
        ),
      }),
    }),
    keyStore: overlaid(keyStore, {
      inventory: overlaid(keyStore.inventory, {
        rewrap: stopping("wrap", (change) => keyStore.inventory.rewrap(change), kindOf),
      }),
    }),
  };
}

/** Stops the process after the first wrap of a write. */
function stoppingSet({ keyring, keySet }: KeySetInput): KeySetInput {
  const stops: Keyring = {
    async onEncrypt(...given: Parameters<Keyring["onEncrypt"]>) {
      const wrapped = await keyring.onEncrypt(...given);
      if (writing.isToStop) {
        writing.isToStop = false;
        say({ stops: "write" });
        process.kill(process.pid, "SIGSTOP");
      }
      return wrapped;
    },
    onDecrypt: (...given: Parameters<Keyring["onDecrypt"]>) => keyring.onDecrypt(...given),
  };
  return { keyring: stops, keySet };
}

const writing = { isToStop: false };
const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const task = JSON.parse(String((await lines.next()).value)) as StopTask;
const log = openSync(task.log, "a", 0o600);
const { works } = task;
const [current, next] = task.keys.map(keySetOf).map((set) => (works === null ? stoppingSet(set) : set));
const stores = await openStores(task.place);
const { store, keyStore } = works === null ? stores : working(stores);
await using vault = await openVault({
  store,
  ...current!,
  next: next!,
  keys: { store: keyStore },
  collections: SCOPED,
  // One change at a time: a process that stands still with a transaction of its own under way keeps SQLite from all.
  ...(works === null
    ? {}
    : { repair: { leaseMs: works, intervalMs: 100, lookMs: 20, convergeAtOnce: 1, convergeItems: 4 } }),
});
say({ ready: true });
for (let line = await lines.next(); line.done !== true; line = await lines.next()) {
  const order = JSON.parse(line.value) as StopOrder;
  if ("stopAt" in order) turns.left = order.stopAt;
  else {
    writing.isToStop = true;
    try {
      const { version } = await vault.put(order, { of: `${order.collection}/${order.id}` });
      say({ result: `made ${version}` });
    } catch (error) {
      say({ result: isVaultError(error) ? error.code : String(error) });
    }
  }
}
