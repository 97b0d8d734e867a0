/**
 * What a process with writers is told, and how it tells what it saw.
 */
import type { JsonObject } from "@strongroom/vault";
import type { Answer } from "./history.ts";
import type { TestKey } from "./keys.ts";
import type { Place } from "./place.ts";

/** What the process is to do. */
export interface WriterTask {
  readonly place: Place;
  /** The key set in force, and the next one. */
  readonly keys: readonly [TestKey, TestKey?];
  readonly records: number;
  /** Writers at once in this process. */
  readonly writers: number;
  /** Left out: reads and writes of every kind, through the vault alone. */
  readonly way?: Way;
  /** Where its lines go. */
  readonly log: string;
}

/** `put`: writes of single records alone. An isolation level: in transactions of the writer's own. */
export type Way = "put" | "read committed" | "repeatable read" | "serializable";

/** A line of the log: a call begins, or ends. */
export type Line =
  | {
      readonly call: string;
      readonly at: number;
      readonly record: string;
      readonly token: string | null;
      readonly base: number | null;
      readonly batch: string | null;
    }
  | { readonly call: string; readonly at: number; readonly answer: Answer };

export const COLLECTION = "people";

/** Microseconds of a clock that all processes of the machine share. */
export const now = (): number => Number(process.hrtime.bigint() / 1000n);

/** What makes a written document unlike every other. */
export function tokenOf({ token }: JsonObject): string {
  return typeof token === "string" ? token : "(none)";
}
