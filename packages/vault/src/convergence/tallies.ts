/**
 * What the processes that work on a run have done, each in a note of its own, and all of it together.
 *
 * Counts must neither be lost nor doubled by a process that dies, and processes that come and go must not leave a note
 * each for ever. So a note is taken over, by compare-and-swap, from a process that is dead: it goes on where that one
 * stood. Who is taken over although it lives is told so when it writes next, and begins another note with what it has
 * counted since.
 */
import { shown } from "@strongroom/base/shown";
import type { Note, Notes } from "../stores/notes.ts";
import { isMoment, objectIn } from "./note-text.ts";
import type { Forecast, RunPhase } from "./view.ts";

/** So often a process that works writes down what it has done, in milliseconds. */
export const TALLY_EVERY_MS = 2_000;

/** What a process has done for a run, with what those had done whose note it has taken over. */
export interface Tally {
  /** When it was written: ISO 8601, UTC. */
  readonly at: string;
  readonly calls: Forecast["calls"];
  readonly throttled: number;
  /** Items, by the phase in which they were done. */
  readonly done: Readonly<Partial<Record<RunPhase, number>>>;
  /** Tries that failed. */
  readonly failed: number;
  readonly bytes: number;
  /** How long it worked. */
  readonly seconds: number;
  /** Items a second, of late. */
  readonly rate: number;
  /** Why it goes slower than it might; null: nothing. */
  readonly waits: string | null;
}

export const NO_WORK: Omit<Tally, "at"> = {
  calls: [],
  throttled: 0,
  done: {},
  failed: 0,
  bytes: 0,
  seconds: 0,
  rate: 0,
  waits: null,
};

const PHASES: readonly RunPhase[] = ["flip", "add", "hold", "drop", "undo", "end"];

/** Regions and operations of one note; what is beyond them is counted as one. */
const MOST_ROWS = 128;
const OTHERS = { region: "", operation: "Others" } as const;
const REGION = /^[a-z0-9-]{0,32}$/;
const OPERATION = /^[A-Za-z]{1,32}$/;
const LONGEST_WAITS = 200;

/** Where the notes of a run are. @param run its id */
export const tallyPrefix = (run: string): string => `convergence/${run}/`;

/** The text of a note. */
export function tallyText({ at, calls, throttled, done, failed, bytes, seconds, rate, waits }: Tally): string {
  const rows = calls.map(({ region, operation, calls: made }) => [region, operation, made]);
  return JSON.stringify({ at, calls: rows, throttled, done, failed, bytes, seconds, rate, waits });
}

/** Null: nobody writes that. */
export function parseTally(text: string): Tally | null {
  const found = objectIn(text);
  if (found === null) return null;
  const { at, calls, throttled, done, failed, bytes, seconds, rate, waits } = found;
  const rows = parseCalls(calls);
  const items = parseDone(done);
  if (!isMoment(at) || rows === null || items === null) return null;
  if (!isCount(throttled) || !isCount(failed) || !isCount(bytes) || !isAmount(seconds) || !isAmount(rate)) return null;
  if (waits !== null && (typeof waits !== "string" || waits.length > LONGEST_WAITS)) return null;
  return { at, calls: rows, throttled, done: items, failed, bytes, seconds, rate, waits };
}

const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;
const isAmount = (value: unknown): value is number =>
  typeof value === "number" && value >= 0 && value <= Number.MAX_SAFE_INTEGER;

function parseCalls(value: unknown): Forecast["calls"] | null {
  if (!Array.isArray(value) || value.length > MOST_ROWS + 1) return null;
  const rows: Forecast["calls"][number][] = [];
  for (const row of value as readonly unknown[]) {
    if (!Array.isArray(row) || row.length !== 3) return null;
    const [region, operation, calls] = row as readonly unknown[];
    if (typeof region !== "string" || !REGION.test(region)) return null;
    if (typeof operation !== "string" || !OPERATION.test(operation) || !isCount(calls)) return null;
    rows.push({ region, operation, calls });
  }
  return rows;
}

function parseDone(value: unknown): Tally["done"] | null {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return null;
  const entries = Object.entries(value);
  const isSound = entries.every(([phase, items]) => PHASES.includes(phase as RunPhase) && isCount(items));
  return isSound ? Object.fromEntries(entries) : null;
}

/** Never beyond what a number counts: whoever writes a row by hand must not make a sum that is none. */
const sum = (a: number, b: number): number => Math.min(a + b, Number.MAX_SAFE_INTEGER);

/** Two tallies as one, of the later moment. `seconds` are those of work one after the other. */
export function addTallies(a: Tally, b: Tally): Tally {
  const calls = new Map<string, Forecast["calls"][number]>();
  for (const row of [...a.calls, ...b.calls]) {
    const isKnown = calls.has(nameOf(row)) || calls.size < MOST_ROWS;
    const { region, operation } = isKnown ? row : OTHERS;
    const name = nameOf({ region, operation });
    calls.set(name, { region, operation, calls: sum(row.calls, calls.get(name)?.calls ?? 0) });
  }
  const done: Partial<Record<RunPhase, number>> = {};
  for (const phase of PHASES) {
    const items = sum(a.done[phase] ?? 0, b.done[phase] ?? 0);
    if (items > 0) done[phase] = items;
  }
  return {
    at: a.at > b.at ? a.at : b.at,
    calls: [...calls.entries()].sort(([x], [y]) => (x < y ? -1 : 1)).map(([, row]) => row),
    throttled: sum(a.throttled, b.throttled),
    done,
    failed: sum(a.failed, b.failed),
    bytes: sum(a.bytes, b.bytes),
    seconds: sum(a.seconds, b.seconds),
    rate: b.rate,
    waits: b.waits,
  };
}

/** What was done, whenever it was written. */
export function withoutDate({ calls, throttled, done, failed, bytes, seconds, rate, waits }: Tally): Omit<Tally, "at"> {
  return { calls, throttled, done, failed, bytes, seconds, rate, waits };
}

const nameOf = ({ region, operation }: { readonly region: string; readonly operation: string }): string =>
  `${region} ${operation}`;

/** What a process says of its pace is believed for so long, in milliseconds. */
const RATE_MS = 5 * TALLY_EVERY_MS;

/**
 * All processes together. Those that worked side by side took as long as the one that took longest. Notes that nobody
 * writes count for nothing.
 */
export function sumTallies(notes: readonly Pick<Note, "text">[], now: number): Omit<Tally, "at"> {
  const tallies = notes.flatMap(({ text }) => parseTally(text) ?? []);
  const all = withoutDate(tallies.reduce(addTallies, { ...NO_WORK, at: "" }));
  const present = tallies.filter(({ at }) => Math.abs(now - Date.parse(at)) < RATE_MS);
  const waits = new Set(present.flatMap((tally) => (tally.waits === null ? [] : [shown(tally.waits)])));
  return {
    ...all,
    seconds: tallies.reduce((longest, { seconds }) => Math.max(longest, seconds), 0),
    rate: present.reduce((sumOf, { rate }) => sum(sumOf, rate), 0),
    waits: waits.size === 0 ? null : [...waits].sort().join("; ").slice(0, LONGEST_WAITS),
  };
}

/** The notes of a run, or of all but one. */
export async function forgetTallies(notes: Notes, keep: string | null): Promise<void> {
  for (const { name, text } of await notes.list("convergence/")) {
    const run = /^convergence\/([0-9a-f-]{36})\//.exec(name)?.[1];
    if (run !== undefined && run !== keep) await notes.replace(name, null, text);
  }
}
