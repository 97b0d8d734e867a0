/**
 * The run as all processes see it: a note in the record store, which any of them may move on by compare-and-swap. What
 * a run works on is not in it: that is computed from what is stored and what is in force, so that a note which was lost
 * or altered costs work, and no data.
 */
import { VaultError } from "../errors.ts";
import type { ChangedKind } from "../keys/subject-keys.ts";
import type { Scope } from "../stores/subjects.ts";
import type { Notes } from "../stores/notes.ts";
import { MAX_NOTE_BYTES } from "../stores/notes.ts";
import type { ConvergenceRun, ConvergeOptions, Forecast, RunPhase, WrappedStore } from "./view.ts";

/** Options of a run, all of them. */
export type RunOptions = Required<Omit<ConvergeOptions, "force">>;

/** The key sets of a store that a run goes from and to, by their digests. */
export interface RunSets {
  /** Null: none was in force. */
  readonly before: string | null;
  readonly to: string;
  /** Whether nothing lay under keys that only `to` has when the run began. */
  readonly isNew: boolean;
}

/** The run, as its note has it. */
export interface StoredRun extends Omit<ConvergenceRun, "progress" | "undoable"> {
  readonly options: RunOptions;
  readonly sets: Readonly<Partial<Record<WrappedStore, RunSets>>>;
  /** Collections whose records may be in another scope than they declare, and that one. */
  readonly scopes: readonly { readonly collection: string; readonly to: Scope }[];
  /** People's keys that change their kind, where the whole vault goes to the other scope of keys; null: none do. */
  readonly kinds: { readonly from: PersonKeyKind; readonly to: PersonKeyKind } | null;
  /** When the present phase began: ISO 8601, UTC. */
  readonly phaseAt: string;
  /** When somebody last said that it is to go on: ISO 8601, UTC; null: nobody has. */
  readonly resumedAt: string | null;
  /** Items of the present phase when it began; null: they are found while it goes. */
  readonly of: number | null;
}

/** The note's name. */
export const RUN_NOTE = "convergence/run";

/** Tries of a change of the note against other processes. */
const CHANGE_ATTEMPTS = 16;

const FORM = 1;
const STATES: readonly ConvergenceRun["state"][] = ["running", "paused", "done", "cancelled", "undone"];
const PHASES: readonly RunPhase[] = ["flip", "add", "hold", "drop", "undo", "end"];

/** Whether a run has not ended. */
export const isUnderWay = (run: StoredRun | null): run is StoredRun =>
  run !== null && (run.state === "running" || run.state === "paused");

/** Whether the set before may be gone back to: nothing of it was dropped. */
export const isUndoable = ({ state, phase }: Pick<StoredRun, "state" | "phase">): boolean =>
  state !== "done" && state !== "undone" && (phase === "flip" || phase === "add" || phase === "hold");

/** The change of a run that still is as it was seen; null where it is not. */
export function movedFrom(
  seen: StoredRun,
  phase: RunPhase,
  clock: () => Date,
): (run: StoredRun | null) => StoredRun | null {
  return (run) => {
    if (!isSameRun(run, seen)) return null;
    const at = clock().toISOString();
    if (phase !== "end") return { ...run, phase, phaseAt: at, of: null };
    return { ...run, phase, phaseAt: at, of: null, endedAt: at, state: seen.phase === "undo" ? "undone" : "done" };
  };
}

/** Whether a run is where it was seen. */
export function isSameRun(run: StoredRun | null, seen: StoredRun): run is StoredRun {
  return run?.id === seen.id && run.state === seen.state && run.phase === seen.phase;
}

/** The run's note of a store. */
export class RunNote {
  readonly #notes: Notes;

  constructor(notes: Notes) {
    this.#notes = notes;
  }

  /** @throws VaultError `store-newer` when the note is in a form that this program does not know; the store's */
  async read(): Promise<StoredRun | null> {
    const text = await this.#text();
    return text === null ? null : parseRun(text);
  }

  /**
   * Puts in the note what `to` makes of the run that is there. `to` is asked again when another process was faster, and
   * gives null where nothing is to be changed.
   *
   * @returns the run as it is then, and whether this call has changed it
   * @throws VaultError `store-newer`; `store-failed` when others were faster again and again; the store's
   */
  async change(
    to: (run: StoredRun | null) => StoredRun | null,
  ): Promise<{ readonly run: StoredRun | null; readonly isChanged: boolean }> {
    for (let attempt = 1; attempt <= CHANGE_ATTEMPTS; attempt++) {
      const text = await this.#text();
      const run = text === null ? null : parseRun(text);
      const next = to(run);
      if (next === null) return { run, isChanged: false };
      if ((await this.#notes.replace(RUN_NOTE, runText(next), text)) === "replaced")
        return { run: next, isChanged: true };
    }
    throw new VaultError("store-failed", "Other processes changed the run of the convergence again and again");
  }

  async #text(): Promise<string | null> {
    return (await this.#notes.list(RUN_NOTE)).find(({ name }) => name === RUN_NOTE)?.text ?? null;
  }
}

/** @throws VaultError `store-failed` when it is more than a note takes */
export function runText(run: StoredRun): string {
  const text = JSON.stringify({ form: FORM, ...run });
  if (Buffer.byteLength(text, "utf8") <= MAX_NOTE_BYTES) return text;
  throw new VaultError("store-failed", "The run has more regions and operations than its note holds");
}

/** The run of a note. @throws VaultError `store-newer` for every other form, also of a note that somebody altered */
export function parseRun(text: string): StoredRun {
  try {
    const note: unknown = JSON.parse(text);
    if (isRun(note)) return without(note);
  } catch {
    // As below.
  }
  throw new VaultError("store-newer", "The note of the convergence's run is in a form that this program does not know");
}

function without({ form: _, ...run }: StoredRun & { readonly form: number }): StoredRun {
  return run;
}

type Is = (value: unknown) => boolean;
type Shape = Readonly<Record<string, Is>>;

const isText = (value: unknown): boolean => typeof value === "string" && value.length <= 4096;
const isCount = (value: unknown): boolean => Number.isSafeInteger(value) && (value as number) >= 0;
const isNumber = (value: unknown): boolean => typeof value === "number" && Number.isFinite(value) && value >= 0;
const isFlag = (value: unknown): boolean => typeof value === "boolean";
const isMoment = (value: unknown): boolean =>
  typeof value === "string" &&
  /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/.test(value) &&
  !Number.isNaN(Date.parse(value));
const isDigest = (value: unknown): boolean => typeof value === "string" && /^[0-9a-f]{64}$/.test(value);
const orNull =
  (is: (value: unknown) => boolean) =>
  (value: unknown): boolean =>
    value === null || is(value);
const oneOf =
  (values: readonly unknown[]) =>
  (value: unknown): boolean =>
    values.includes(value);

/** Exactly these members, each as it must be. */
function has(shape: Shape): (value: unknown) => boolean {
  return (value) => {
    if (typeof value !== "object" || value === null || Array.isArray(value)) return false;
    const names = Object.keys(value);
    const members = value as Readonly<Record<string, unknown>>;
    return names.length === Object.keys(shape).length && names.every((name) => shape[name]?.(members[name]) === true);
  };
}

const CALLS = has({ region: isText, operation: isText, calls: isCount });
const SETS = has({ before: orNull(isDigest), to: isDigest, isNew: isFlag });

const SCOPED = has({ collection: isText, to: oneOf(["record", "subject", "tenant"]) });
const MOST_SCOPES = 256;
const KIND = oneOf(["subject", "tenant-subject"]);

/** Kinds of people's keys. */
export type PersonKeyKind = ChangedKind["kind"];

const OPTIONS: Shape = {
  verify: (value) => isNumber(value) && (value as number) <= 1,
  keepOld: isFlag,
  rate: isNumber,
  material: oneOf(["any", "current"]),
  scopes: isFlag,
  fresh: isFlag,
} satisfies Record<keyof RunOptions, Is>;

const FORECAST: Shape = {
  calls: (value) => Array.isArray(value) && value.length <= 1024 && value.every(CALLS),
  total: isNumber,
  dollars: isNumber,
  price: isNumber,
  seconds: isNumber,
  rate: isNumber,
  bytes: isNumber,
  keptBytes: isNumber,
} satisfies Record<keyof Forecast, Is>;

const RUN = has({
  form: oneOf([FORM]),
  id: (value) => typeof value === "string" && /^[0-9a-f-]{36}$/.test(value),
  state: oneOf(STATES),
  phase: oneOf(PHASES),
  by: isText,
  beganAt: isMoment,
  endedAt: orNull(isMoment),
  reason: orNull(isText),
  options: has(OPTIONS),
  forecast: has(FORECAST),
  sets: (value) => has({ records: SETS, keys: SETS })(value) || has({ records: SETS })(value),
  scopes: (value) => Array.isArray(value) && value.length <= MOST_SCOPES && value.every(SCOPED),
  kinds: orNull(has({ from: KIND, to: KIND })),
  phaseAt: isMoment,
  resumedAt: orNull(isMoment),
  of: orNull(isCount),
} satisfies Record<keyof StoredRun | "form", Is>);

const isRun = (note: unknown): note is StoredRun & { readonly form: number } => RUN(note);
