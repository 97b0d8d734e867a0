/**
 * What a caller does with runs: begins one, pauses it, has it go on, ends it, goes back. Each is told in the audit as
 * the caller's, and is a change of the run's note; the work is the workers'.
 */
import { randomUUID } from "node:crypto";
import type { Auditor } from "../audit/auditor.ts";
import { VaultError } from "../errors.ts";
import type { KeySets } from "../keys/key-sets.ts";
import { asking } from "../records/asked.ts";
import type { Inventory } from "../stores/inventory.ts";
import { parseConvergeOptions, parseReason } from "./run-options.ts";
import { isUnderWay, isUndoable, movedFrom } from "./run.ts";
import type { RunNote, RunSets, StoredRun } from "./run.ts";
import type {
  Convergence,
  ConvergenceRun,
  ConvergenceStatus,
  ConvergeOptions,
  FleetMember,
  PlanLine,
  RunProgress,
  StorePlan,
  WrappedStore,
} from "./view.ts";

/** A store that a run works on. */
export interface RunStore {
  readonly store: WrappedStore;
  readonly keySets: KeySets;
  readonly inventory: Pick<Inventory<unknown, never>, "sets" | "any">;
}

/** What runs are made with. */
export interface RunsDependencies {
  readonly note: RunNote;
  /** In the order in which they are put in force: a key that is made is under the new set before what hangs on it. */
  readonly keySets: readonly RunStore[];
  readonly plan: Convergence["plan"];
  /** People's keys that are to change their kind; null: none are. */
  readonly kinds: () => Promise<StoredRun["kinds"]>;
  readonly fleet: () => Promise<readonly FleetMember[]>;
  readonly progressOf: (run: StoredRun) => Promise<RunProgress>;
  /** The audit on behalf of the caller; null: the vault has none. */
  readonly audit: Auditor | null;
  readonly clock: () => Date;
  /** The run was changed: whoever works on it looks soon. */
  readonly onChanged: () => void;
}

/** Those of `vault.convergence` that change something, and what became of it. */
export type ConvergenceRuns = Pick<Convergence, "apply" | "status" | "pause" | "resume" | "cancel" | "undo">;

/** Of a vault without an audit, who asks for a run is nobody in particular. */
const NOBODY = "local";

export function convergenceRuns(dependencies: RunsDependencies): ConvergenceRuns {
  const { audit } = dependencies;
  return {
    apply: (options = {}) => asking(audit, "converge", () => apply(dependencies, options)),
    status: () => status(dependencies),
    pause: (reason) =>
      asking(audit, "converge", () =>
        changed(dependencies, { does: "pause", reason: parseReason(reason) }, (run) => ({ ...run, state: "paused" })),
      ),
    resume: () =>
      asking(audit, "converge", () =>
        changed(dependencies, { does: "resume", reason: null }, (run, at) => ({
          ...run,
          state: "running",
          resumedAt: at,
        })),
      ),
    cancel: (reason) =>
      asking(audit, "converge", () =>
        changed(dependencies, { does: "cancel", reason: parseReason(reason) }, (run, at) => ({
          ...run,
          state: "cancelled",
          endedAt: at,
        })),
      ),
    undo: (reason) => asking(audit, "converge", () => undo(dependencies, parseReason(reason))),
  };
}

async function apply(dependencies: RunsDependencies, given: ConvergeOptions): Promise<ConvergenceStatus> {
  const { note, keySets, audit, clock } = dependencies;
  const { force, ...options } = parseConvergeOptions(given);
  const present = await note.read();
  if (isUnderWay(present)) return goOn(dependencies, present, options.keepOld);
  const { problems, forecast, stores, scopes } = await dependencies.plan({ ...options, force });
  const blocking = problems.filter(({ blocks }) => blocks);
  if (blocking.length > 0)
    throw new VaultError("run-refused", blocking.map(({ code, message }) => `${code}: ${message}`).join("; "));
  const sets = await setsOf(keySets);
  const at = clock().toISOString();
  const run: StoredRun = {
    ...{ id: randomUUID(), state: "running", phase: "flip", by: audit?.actor.principal ?? NOBODY },
    ...{ beganAt: at, endedAt: null, reason: null, options, forecast, sets, phaseAt: at, resumedAt: null, of: null },
    kinds: options.scopes ? await dependencies.kinds() : null,
    scopes: options.scopes ? scopes.map(({ collection, to }) => ({ collection, to })) : [],
  };
  const { id } = run;
  await act(
    dependencies,
    { does: "begin", run: id, calls: forecast.total, dollars: forecast.dollars, force },
    async () => {
      // Of two that begin at once the second finds the first.
      const { isChanged } = await note.change((found) => (isUnderWay(found) ? null : run));
      if (!isChanged) throw underWay();
      await flip(dependencies, run);
      const add = movedFrom(run, "add", clock);
      await note.change((found) => {
        const moved = add(found);
        return moved === null ? null : { ...moved, of: toAdd(stores) };
      });
    },
  );
  dependencies.onChanged();
  return status(dependencies);
}

/** Items that get wraps, or another message. */
function toAdd(stores: readonly StorePlan[]): number {
  const lines = stores.flatMap((store) => store.lines);
  return lines.reduce((sum, { change, items }) => (ADDS.has(change) ? sum + items : sum), 0);
}

const ADDS: ReadonlySet<PlanLine["change"]> = new Set(["add", "add-and-drop", "seal-anew"]);

/** A run that holds goes on to its drops; everything else is in the way of another one. */
async function goOn(dependencies: RunsDependencies, present: StoredRun, keepOld: boolean): Promise<ConvergenceStatus> {
  if (present.phase !== "hold" || keepOld) throw underWay();
  const { note, clock } = dependencies;
  await act(dependencies, { does: "drop", run: present.id }, async () => {
    const drop = movedFrom(present, "drop", clock);
    const { isChanged } = await note.change((run) => {
      const moved = drop(run);
      return moved === null ? null : { ...moved, state: "running", options: { ...moved.options, keepOld: false } };
    });
    if (!isChanged) throw underWay();
  });
  dependencies.onChanged();
  return status(dependencies);
}

/** What each store has in force, and what this process declares. */
async function setsOf(stores: RunsDependencies["keySets"]): Promise<StoredRun["sets"]> {
  const sets: Partial<Record<WrappedStore, RunSets>> = {};
  for (const { store, keySets, inventory } of stores) {
    const { inForce } = await keySets.status();
    const { digest, names } = keySets.declared;
    const known = new Set(keySets.known(inForce)?.names);
    const fresh = new Set(names?.filter((name) => !known.has(name)));
    sets[store] = { before: inForce, to: digest, isNew: !(await isAnyUnder(inventory, fresh)) };
  }
  return sets;
}

/** Whether anything lies under one of these keys, as far as can be told. */
async function isAnyUnder(inventory: RunStore["inventory"], keys: ReadonlySet<string>): Promise<boolean> {
  const found = (await inventory.sets()).filter(({ set }) => set?.wraps.some(({ key }) => keys.has(key)) ?? true);
  return found.length > 0 && (await inventory.any(found.map(({ id }) => id)));
}

/** Puts the sets of the run in force, each told in the audit. */
async function flip(dependencies: RunsDependencies, { sets, phase }: StoredRun): Promise<void> {
  for (const { store, keySets } of dependencies.keySets) {
    const digest = (phase === "undo" ? sets[store]?.before : sets[store]?.to) ?? null;
    if (digest === null || (await keySets.status()).inForce === digest) continue;
    await actAs(dependencies, "flip-key-set", { store, digest }, () => keySets.flipTo(digest));
  }
}

interface Act {
  readonly does: "pause" | "resume" | "cancel";
  readonly reason: string | null;
}

async function changed(
  dependencies: RunsDependencies,
  { does, reason }: Act,
  to: (run: StoredRun, at: string) => StoredRun,
): Promise<ConvergenceStatus> {
  const { note, clock } = dependencies;
  const present = await note.read();
  if (!isUnderWay(present)) throw absent();
  await act(dependencies, { does, run: present.id, ...(reason === null ? {} : { reason }) }, async () => {
    const at = clock().toISOString();
    const { run, isChanged } = await note.change((found) =>
      isUnderWay(found) && found.id === present.id ? { ...to(found, at), reason } : null,
    );
    if (!isChanged && run?.id === present.id) throw absent();
  });
  dependencies.onChanged();
  return status(dependencies);
}

async function undo(dependencies: RunsDependencies, reason: string): Promise<ConvergenceStatus> {
  const { note, keySets, clock } = dependencies;
  const present = await note.read();
  if (present === null || present.state === "undone" || present.state === "done") throw absent();
  const isAgain = present.phase === "undo" && isUnderWay(present);
  if (!isAgain && !isUndoable(present)) throw notUndoable();
  // Before anything is changed: a process that does not know the set before cannot go back to it.
  for (const { store, keySets: own } of keySets) {
    const before = present.sets[store]?.before ?? null;
    if (before !== null && own.known(before) === null)
      throw new VaultError("key-set-unknown", "This process is not configured with the key set to go back to");
  }
  await act(dependencies, { does: "undo", run: present.id, reason }, async () => {
    const at = clock().toISOString();
    const { run, isChanged } = await note.change((found) => {
      if (found?.id !== present.id || (found.phase !== "undo" && !isUndoable(found))) return null;
      return { ...found, state: "running", phase: "undo", phaseAt: at, endedAt: null, of: null, reason };
    });
    if (!isChanged || run === null) throw notUndoable();
    await flip(dependencies, run);
  });
  dependencies.onChanged();
  return status(dependencies);
}

async function status({ note, fleet, progressOf }: RunsDependencies): Promise<ConvergenceStatus> {
  const [run, members] = await Promise.all([note.read(), fleet()]);
  return { run: run === null ? null : shownRun(run, await progressOf(run)), fleet: members };
}

function shownRun(run: StoredRun, progress: RunProgress): ConvergenceRun {
  const { id, state, phase, by, beganAt, endedAt, reason, options, forecast } = run;
  const told = { id, state, phase, by, beganAt, endedAt, reason, options, forecast };
  return { ...told, progress, undoable: isUndoable(run) };
}

type Details = Readonly<Record<string, string | number | boolean | null>>;

function act(dependencies: RunsDependencies, details: Details, work: () => Promise<void>): Promise<void> {
  return actAs(dependencies, "converge", details, work);
}

async function actAs<Result>(
  { audit }: RunsDependencies,
  action: "converge" | "flip-key-set",
  details: Details,
  work: () => Promise<Result>,
): Promise<Result> {
  return audit === null ? work() : audit.act(action, { details }, work);
}

function underWay(): VaultError {
  return new VaultError("run-under-way", "A run of the convergence is under way, or was begun at the same time");
}

function absent(): VaultError {
  return new VaultError("run-absent", "There is no run of the convergence, or it has ended");
}

function notUndoable(): VaultError {
  return new VaultError("run-not-undoable", "Old wraps of the run are being dropped, or are gone: it cannot be undone");
}
