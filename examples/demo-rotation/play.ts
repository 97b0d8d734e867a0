// What the acts share: the installation, whoever works on it, and what was kept of before.
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Client, ConvergenceRun, InventoryLine } from "@strongroom/client";
import type { Narrator } from "../demo/narrator.ts";
import type { Stage } from "../demo/stage.ts";
import type { KeptKey } from "./rows.ts";
import { clientOf, type Traffic } from "./traffic.ts";

/** The letter whose row is damaged. */
export const DAMAGED = "l-007";

/** What an act plays with. */
export interface Play {
  readonly stage: Stage;
  readonly narrator: Narrator;
  readonly traffic: Traffic;
  /** A person's key as it was before the rotation. */
  kept: KeptKey | null;
}

/** Longest wait for anything: a busy machine takes its time, and a wait in vain is a claim that did not hold. */
const LONGEST_MS = 150_000;
const AGAIN_MS = 250;

/** Whether it came to be so. */
export async function until(holds: (client: Client) => Promise<boolean>, { stage }: Play): Promise<boolean> {
  const client = await clientOf(stage);
  const endsAt = performance.now() + LONGEST_MS;
  while (!(await holds(client)))
    if (performance.now() > endsAt) return false;
    else await sleep(AGAIN_MS);
  return true;
}

/** The present run, or the last one. */
export async function runOf({ stage }: Play): Promise<ConvergenceRun> {
  const { run } = await (await clientOf(stage)).convergence.status();
  if (run === null) throw new Error("there was no run");
  return run;
}

/** Items under keys of the KMS, in one region, which stands for all of them: under those in force, and under others. */
export function itemsOf(lines: readonly InventoryLine[], store: InventoryLine["store"]): { now: number; old: number } {
  const there = lines.filter((line) => line.store === store && line.region === "eu-central-1");
  const sum = (isInForce: boolean): number =>
    there.filter((line) => line.isInForce === isInForce).reduce((all, { items }) => all + items, 0);
  return { now: sum(true), old: sum(false) };
}

/** A key that the rotation has left. */
interface LeftKey {
  readonly purpose: "records" | "keyStore";
  readonly region: string;
  readonly keyArn: string;
}

/** The keys that can be retired, as keys.json of the data folder names them; null: the new ones are not in place yet. */
export async function leftKeys({ stage }: Play): Promise<readonly LeftKey[] | null> {
  const { next, left } = JSON.parse(await readFile(join(stage.ready.dataDir, "keys.json"), "utf8")) as {
    readonly next?: object | null;
    readonly left?: readonly LeftKey[];
  };
  return next === null && left !== undefined && left.length > 0 ? left : null;
}

/** The first and the last lines of an output that is longer than a screen should be. */
export function shortened(text: string, first: number, last: number): string {
  const lines = text.trimEnd().split("\n");
  if (lines.length <= first + last) return text;
  return [...lines.slice(0, first), "…", ...lines.slice(lines.length - last)].join("\n");
}
