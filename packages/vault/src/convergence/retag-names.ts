/**
 * Puts the names of all people under the hashes of the shredding generation in force: whoever has the lookup key of
 * now and an old backup must not be able to ask it who was erased. No wrap set tells a name, so all people are gone
 * through, in sixteen partitions by the first digit of their ids.
 */
import { mapBounded } from "@strongroom/base/work";
import { envelopeFailure } from "../envelope-failure.ts";
import type { VaultErrorCode } from "../errors.ts";
import type { SubjectKeys } from "../keys/subject-keys.ts";
import type { JobStore, Leased } from "../stores/jobs.ts";
import type { KeyStore } from "../stores/key-store.ts";
import { isSubjectId } from "../stores/subjects.ts";
import type { SubjectId } from "../stores/subjects.ts";
import { isPassed } from "./full-pass.ts";
import type { PassPace } from "./full-pass.ts";
import { holderName, REPAIR_PARTITIONS } from "./partitions.ts";
import type { StoredRun } from "./run.ts";
import { originOf, waitMs } from "./schedule.ts";

/** What names are put under other hashes with. */
export interface RetagDependencies {
  readonly store: Pick<KeyStore, "keys" | "jobs">;
  readonly subjectKeys: Pick<SubjectKeys, "retag">;
  readonly clock: () => Date;
  readonly signal: AbortSignal | undefined;
}

/**
 * So long after the generation has changed it begins: by then every process has heard of it (key-sets.ts), or it would
 * look for people by hashes that they have no more.
 */
export const RETAG_AFTER_MS = 6_000;

const jobOf = ({ id, phase }: StoredRun): string => `retag-${phase === "undo" ? "undo" : "add"}-${id}`;

/** Whether all names are under the hashes of the generation that the run goes to. @throws VaultError of the store */
export function isRetagged(jobs: JobStore, run: StoredRun): Promise<boolean> {
  return isPassed(jobs, jobOf(run));
}

/** Goes through the partitions that this process gets hold of. @throws VaultError of the store */
export async function retagNames(dependencies: RetagDependencies, run: StoredRun, pace: PassPace): Promise<void> {
  const { store, clock } = dependencies;
  if (clock().getTime() < Date.parse(run.phaseAt) + RETAG_AFTER_MS) return;
  const [{ jobs }, job] = [store, jobOf(run)];
  await jobs.add(job, REPAIR_PARTITIONS);
  if (pace.retries) await jobs.wake(job);
  const holder = holderName();
  for (;;) {
    const leased = pace.stop.aborted ? null : await jobs.lease({ job, holder, ms: pace.settings.leaseMs });
    if (leased === null) return;
    await visit(dependencies, leased, pace);
  }
}

async function visit(dependencies: RetagDependencies, leased: Leased, pace: PassPace): Promise<void> {
  const { store, clock } = dependencies;
  const { keys, jobs } = store;
  const { settings, stop } = pace;
  const digit = REPAIR_PARTITIONS.indexOf(leased.partition);
  if (digit < 0) {
    await jobs.finish(leased, { cursor: null, done: 0, failed: 0, problem: null }, null);
    return;
  }
  let after: SubjectId | null = isSubjectId(leased.cursor) ? leased.cursor : beforeDigit(digit);
  let wait = 0;
  for (;;) {
    const ids = (await keys.people({ after, limit: settings.convergeItems })).filter((id) => id.startsWith(hex(digit)));
    const ended = await mapBounded(ids, settings.convergeAtOnce, (id) => retagged(dependencies, id, pace));
    const failed = ended.filter((end) => typeof end === "object");
    wait = failed.reduce((longest, end) => Math.max(longest, end.waitMs), wait);
    const isLast = ids.length === 0;
    const before: SubjectId | null = after;
    const isLeft = stop.aborted || ended.includes("left");
    // What failed is met again from the beginning.
    after = wait > 0 ? beforeDigit(digit) : (ids.at(-1) ?? after);
    const code = failed.at(-1)?.code;
    const problem = code === undefined ? null : { code, at: clock().toISOString() };
    const done = ended.filter((end) => end === "done").length;
    // Who was left is met again, and not everybody before them.
    const from = isLeft && wait === 0 ? before : after;
    const progress = { cursor: isLast ? null : from, done, failed: failed.length, problem };
    if (isLeft || isLast || wait > 0) {
      const isFinished = isLast && !isLeft && wait === 0;
      await jobs.finish(leased, progress, isFinished ? null : Math.max(wait, NEXT_MS));
      return;
    }
    if ((await jobs.save(leased, progress, settings.leaseMs)) === "overtaken") return;
  }
}

const NEXT_MS = 1;
const RETAG_ATTEMPTS = 8;

type Ended = "done" | "left" | { readonly code: VaultErrorCode; readonly waitMs: number };

async function retagged({ subjectKeys, signal }: RetagDependencies, id: SubjectId, pace: PassPace): Promise<Ended> {
  if (pace.stop.aborted || !(await pace.begin())) return "left";
  try {
    for (let attempt = 1; attempt <= RETAG_ATTEMPTS; attempt++)
      if (await subjectKeys.retag(id, signal)) {
        pace.done();
        return "done";
      }
    return "left";
  } catch (error) {
    const { code } = envelopeFailure(error);
    const origin = originOf(code);
    if (origin === "caller" || origin === "load") return "left";
    if (origin === "store") throw error;
    pace.failed(code);
    return { code, waitMs: waitMs(origin, 1, pace.settings) };
  } finally {
    pace.ended();
  }
}

const hex = (digit: number): string => digit.toString(16);

/** Behind which everybody is whose id begins with a digit; null: from the first. */
function beforeDigit(digit: number): SubjectId | null {
  return digit === 0 ? null : (`${hex(digit - 1)}fffffff-ffff-4fff-bfff-ffffffffffff` as SubjectId);
}
