// The child process: loads one contender, does one thing it is asked over IPC, answers, and is ended. A process serves
// one row of one round, so no contender runs on a heap or a compiled code base that another one left behind.

import { readFileSync } from "node:fs";
import { findPackageJSON } from "node:module";

import type { Contender, Task } from "./contender.ts";
import { measure, type Effort, type Sample } from "./measure.ts";

export type Order =
  | { readonly kind: "describe"; readonly id: string; readonly module: string }
  | {
      readonly kind: "measure";
      readonly id: string;
      readonly module: string;
      readonly row: string;
      readonly task: Task;
      readonly effort: Effort;
    };

export type Answer =
  | {
      readonly kind: "description";
      readonly title: string;
      readonly version: string | null;
      readonly rows: readonly string[];
    }
  | { readonly kind: "sample"; readonly sample: Sample; readonly prepareMs: number }
  | { readonly kind: "failure"; readonly message: string };

async function answer(order: Order): Promise<Answer> {
  const module = (await import(order.module)) as { readonly default: Contender };
  const contender = module.default;
  if (order.kind === "describe") {
    return {
      kind: "description",
      title: contender.title,
      version: versionOf(contender.packageName),
      rows: Object.keys(contender.works),
    };
  }
  const prepare = contender.works[order.row];
  if (prepare === undefined) throw new Error(`${order.id} has no work called ${order.row}`);
  const start = performance.now();
  const work = await prepare(order.task);
  const prepareMs = performance.now() - start;
  try {
    return { kind: "sample", sample: await measure(work, order.effort), prepareMs };
  } finally {
    await work.close?.();
  }
}

function versionOf(packageName: string | undefined): string | null {
  if (packageName === undefined) return null;
  const path = findPackageJSON(packageName, import.meta.url);
  if (path === undefined) return null;
  return (JSON.parse(readFileSync(path, "utf8")) as { readonly version: string }).version;
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? `${error.name}: ${error.message}` : String(error);
}

process.once("message", (order: Order) => {
  void answer(order)
    .catch((error: unknown): Answer => ({ kind: "failure", message: reasonOf(error) }))
    .then((reply) => {
      process.send?.(reply);
    });
});
