// A process that works on a rotation, and writes and reads meanwhile, until it is killed. It begins when it is told to,
// with a line on its standard input, and writes down what it writes and reads, and each change of the rotation before it
// is made.
import { openSync, writeSync } from "node:fs";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { isVaultError } from "@strongroom/vault";
import type { Vault } from "@strongroom/vault";
import { overlaid, storeWith } from "../../../packages/vault/test/support/store-with.ts";
import type { AuditedPlace } from "./audited-place.ts";
import { openRotated } from "./rotated-place.ts";
import type { OpenedFor, Rotation } from "./rotated-place.ts";
import type { TrafficLine } from "./rotation-ledger.ts";
import { reads, writes } from "./rotation-traffic.ts";

/** What the process is told. */
export interface RotationTask {
  readonly place: AuditedPlace;
  readonly rotation: Rotation;
  /** Calls of the KMS a second and region of a run that it begins; null: it begins none. */
  readonly begins: number | null;
  readonly records: number;
  readonly pauseMs: number;
  /** Where its lines go. */
  readonly log: string;
}

export type RotationLine =
  TrafficLine | { readonly step: string } | { readonly opened: true } | { readonly alarm: string };

/** Written at once: what is in the kernel's hands survives the death of the process. */
function say(line: RotationLine): void {
  writeSync(log, `${JSON.stringify(line)}\n`);
}

const telling: NonNullable<OpenedFor["before"]> = ({ store, keyStore }) => {
  const told =
    <Given extends readonly unknown[], Result>(step: string, call: (...given: Given) => Promise<Result>) =>
    (...given: Given): Promise<Result> => {
      say({ step });
      return call(...given);
    };
  const { inventory, kept } = store;
  return {
    store: storeWith(store, {
      inventory: { rewrap: told("seal", (change) => inventory.rewrap(change)) },
      kept: overlaid(kept, { drop: told("drop", (items, lease) => kept.drop(items, lease)) }),
    }),
    keyStore: overlaid(keyStore, {
      inventory: overlaid(keyStore.inventory, {
        rewrap: told("wrap", (change) => keyStore.inventory.rewrap(change)),
      }),
    }),
  };
};

/** Whoever comes second finds the run of the first. */
async function begin(vault: Vault, rate: number): Promise<void> {
  for (;;)
    try {
      await vault.convergence.apply({ rate });
      return;
    } catch (error) {
      if (!isVaultError(error)) throw error;
      if (error.code === "run-under-way" || error.code === "run-refused") return;
      await sleep(100);
    }
}

const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const task = JSON.parse(String((await lines.next()).value)) as RotationTask;
const log = openSync(task.log, "a", 0o600);
const vault = await openRotated(task.place, task.rotation, {
  works: { intervalMs: 200, lookMs: 50, convergeItems: 20, convergeAtOnce: 8 },
  before: telling,
  audit: {
    onAlarm: ({ code, message }) => {
      say({ alarm: `${code}: ${message}` });
    },
  },
}).catch((error: unknown) => {
  say({ alarm: `not opened: ${isVaultError(error) ? `${error.code}: ${error.message}` : String(error)}` });
  throw error;
});
say({ opened: true });
const traffic = { say, records: task.records, pauseMs: task.pauseMs };
await Promise.all([
  ...(task.begins === null ? [] : [begin(vault, task.begins)]),
  writes(vault, traffic),
  reads(vault, traffic),
]);
