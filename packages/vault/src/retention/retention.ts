/**
 * Removes what has stayed as long as its collection declares: `vault.retention`. Collections are taken in turn under a
 * lease, so that several processes share the work, and one that was killed is gone on from where it was. What is held,
 * or about somebody who is restricted, stays: whoever restricts the use of their data wants it kept (article 18 of the
 * GDPR).
 */
import { VaultError } from "../errors.ts";
import { asking } from "../records/asked.ts";
import { holderName } from "../convergence/partitions.ts";
import { Recurring } from "../convergence/recurring.ts";
import { noop, systemSleep } from "../convergence/repairs.ts";
import type { Dependencies } from "../limits.ts";
import type { JobStore, Leased } from "../stores/jobs.ts";
import { Sweep } from "./sweep.ts";
import type { RetainedCollection, SweepParts, Tally } from "./sweep.ts";

/** How long it may go on. */
export interface RetentionRunOptions {
  /** Ends it between two records; what is left is gone on with by the next run. */
  readonly signal?: AbortSignal;
}

/** How it is done by itself. */
export interface RetentionWorkerOptions {
  /** Milliseconds between two looks; an hour when left out. Each collection is due once a day. */
  readonly lookMs?: number;
  /** Told of what failed, and is tried again. */
  readonly onFault?: (error: unknown) => void;
}

/** What was found in a collection. */
export interface RetentionLine extends Tally {
  readonly collection: string;
  /** As it is declared: a period of ISO 8601, and the field that it counts from; null: the newest version. */
  readonly after: string;
  readonly from: string | null;
  /** `elsewhere`: another process is at it. `interrupted`: the rest is left to the next run. */
  readonly outcome: "complete" | "interrupted" | "elsewhere";
}

/** What a run, or the plan of one, comes to. */
export interface RetentionReport {
  /** Now, as far as what is due is concerned: ISO 8601, UTC. */
  readonly at: string;
  readonly collections: readonly RetentionLine[];
}

/** Retention, as the collections declare it. */
export interface Retention {
  /**
   * What a run would remove now. Changes nothing. Where a period counts from a field, each record is opened for it.
   *
   * @throws VaultError `audit-unavailable`; the stores'
   */
  plan(options?: RetentionRunOptions): Promise<RetentionReport>;
  /**
   * Removes what is due, whole records with all their versions. What cannot be removed is counted, and stops nothing
   * else.
   *
   * @throws VaultError `audit-unavailable`; the stores'
   */
  run(options?: RetentionRunOptions): Promise<RetentionReport>;
}

/** A job for each collection: nobody takes one that another program declares. */
const jobOf = ({ collection }: RetainedCollection): string => `retention-${collection}`;
const PARTITION = "all";
const LEASE_MS = 60_000;
/** Between two looks whether one is. */
const HOUR_MS = 3_600_000;
/** When a collection is due again by itself. */
export const DAY_MS = 86_400_000;
/** Of who the removals are in the audit. */
const PRINCIPAL = "strongroom:retention";

/** What it works with. */
export interface RetentionParts extends Dependencies, Pick<SweepParts, "heldPeople"> {}

/** How options are read: own properties, each once. */
interface Readers {
  readonly retentionRun: (given: unknown) => RetentionRunOptions;
}

/** `vault.retention` on behalf of one caller. */
export function retentionOf(parts: RetentionParts, read: Readers): Retention {
  return {
    plan: (options = {}) =>
      told(
        parts,
        "plan",
        () => read.retentionRun(options),
        (collections, signal) => planned(parts, collections, signal),
      ),
    run: (options = {}) =>
      told(
        parts,
        "run",
        () => read.retentionRun(options),
        async (collections, signal) => {
          await parts.keys.requireWriter();
          const { jobs } = parts.store;
          await added(jobs, collections);
          for (const one of collections) await jobs.wake(jobOf(one));
          return swept(parts, collections, signal);
        },
      ),
  };
}

/** Does what is due of it by itself, and no more: nothing is told where nothing is. */
async function sweepDue(parts: RetentionParts, signal: AbortSignal): Promise<void> {
  const collections = declared(parts);
  if (collections.length === 0) return;
  const { jobs } = parts.store;
  await added(jobs, collections);
  const due = new Set((await jobs.list()).flatMap(({ job, state }) => (state === "due" ? [job] : [])));
  if (!collections.some((one) => due.has(jobOf(one)))) return;
  await parts.keys.requireWriter();
  await told(
    parts,
    "run",
    () => ({ signal }),
    () => swept(parts, collections, signal),
  );
}

/** In the background: looks now and then whether a collection is due, and lets nothing that fails end it. */
export class RetentionWorker {
  readonly #begin: () => Recurring;
  #turns: Recurring | null = null;

  constructor(parts: RetentionParts, { lookMs = HOUR_MS, onFault = noop }: RetentionWorkerOptions) {
    this.#begin = () =>
      new Recurring({ turn: (stop) => sweepDue(parts, stop), everyMs: lookMs, onFault, sleep: systemSleep });
  }

  /** Not before it is known again who is held. */
  start(): void {
    this.#turns = this.#begin();
  }

  /** Resolves when what was under way has ended. */
  async stop(): Promise<void> {
    await this.#turns?.stop();
  }
}

async function added(jobs: JobStore, collections: readonly RetainedCollection[]): Promise<void> {
  for (const one of collections) await jobs.add(jobOf(one), [PARTITION]);
}

function declared({ declarations }: Pick<RetentionParts, "declarations">): readonly RetainedCollection[] {
  return declarations.all.flatMap(({ collection, rights: { retention } }) =>
    retention === null ? [] : [{ collection, retention }],
  );
}

/** An entry before anything is looked at, and one of what it came to. */
function told(
  parts: RetentionParts,
  what: "plan" | "run",
  options: () => RetentionRunOptions,
  work: (
    collections: readonly RetainedCollection[],
    signal: AbortSignal | undefined,
  ) => Promise<readonly RetentionLine[]>,
): Promise<RetentionReport> {
  return asking(parts.audit, "retention", async (asked) => {
    const { signal } = options();
    if (signal?.aborted === true) throw new VaultError("aborted", "The caller gave up; nothing was removed");
    const at = parts.clock().toISOString();
    await parts.keys.requireReader();
    await asked.tell("retention", "begun", { details: { what } });
    const collections = await work(declared(parts), signal);
    const sum = (of: (line: RetentionLine) => number): number => collections.reduce((all, one) => all + of(one), 0);
    const counts = { looked: sum((line) => line.looked), due: sum((line) => line.due), held: sum((line) => line.held) };
    await asked.tell("retention", "done", { details: { what, ...counts, removed: sum((line) => line.removed) } });
    return { at, collections };
  });
}

function lineOf(
  { collection, retention }: RetainedCollection,
  tally: Tally,
  outcome: RetentionLine["outcome"],
): RetentionLine {
  return { collection, after: retention.after.text, from: retention.from?.join(".") ?? null, ...tally, outcome };
}

async function planned(
  parts: RetentionParts,
  collections: readonly RetainedCollection[],
  signal: AbortSignal | undefined,
): Promise<readonly RetentionLine[]> {
  const lines: RetentionLine[] = [];
  for (const one of collections) {
    const sweep = new Sweep(ownDoing(parts), one, "plan");
    let cursor: string | null = null;
    let isLeft = false;
    do {
      ({ cursor, isLeft } = await sweep.page(cursor, signal));
    } while (cursor !== null && !isLeft);
    lines.push(lineOf(one, sweep.tally, isLeft ? "interrupted" : "complete"));
  }
  return lines;
}

async function swept(
  parts: RetentionParts,
  collections: readonly RetainedCollection[],
  signal: AbortSignal | undefined,
): Promise<readonly RetentionLine[]> {
  const { jobs } = parts.store;
  const holder = holderName();
  const lines: RetentionLine[] = [];
  for (const one of collections) {
    const leased = signal?.aborted === true ? null : await jobs.lease({ job: jobOf(one), holder, ms: LEASE_MS });
    lines.push(leased === null ? lineOf(one, NOTHING, "elsewhere") : await sweptCollection(parts, one, leased, signal));
  }
  return lines;
}

const NOTHING: Tally = { looked: 0, due: 0, removed: 0, held: 0, undated: 0, changed: 0, failed: {} };

async function sweptCollection(
  parts: RetentionParts,
  one: RetainedCollection,
  leased: Leased,
  signal: AbortSignal | undefined,
): Promise<RetentionLine> {
  const { jobs } = parts.store;
  const sweep = new Sweep(ownDoing(parts), one, "run");
  for (let from = leased.cursor; ;) {
    const { cursor, isLeft, progress } = await sweep.page(from, signal);
    if (isLeft) {
      await jobs.finish(leased, { ...progress, cursor: from }, 0);
      return lineOf(one, sweep.tally, "interrupted");
    }
    if (cursor === null) {
      await jobs.finish(leased, { ...progress, cursor: null }, DAY_MS);
      return lineOf(one, sweep.tally, "complete");
    }
    // Taken over: whoever has it now goes on from the place that was saved last.
    if ((await jobs.save(leased, { ...progress, cursor }, LEASE_MS)) === "overtaken")
      return lineOf(one, sweep.tally, "elsewhere");
    from = cursor;
  }
}

/** The vault's own doing: no purpose has to be said, and no caller is told to have removed what was due. */
const ownDoing = (parts: RetentionParts): SweepParts => ({
  ...parts,
  audit: parts.audit?.as({ principal: PRINCIPAL }) ?? null,
});
