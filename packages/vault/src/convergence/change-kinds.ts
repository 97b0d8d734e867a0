/**
 * People's keys change their kind where a whole vault goes from one scope of keys to the other: each person's together,
 * the newest first, so that the active one stays the active one.
 */
import { isVaultError, VaultError } from "../errors.ts";
import { WITHOUT_KEY } from "../people-errors.ts";
import { soundRow } from "../keys/key-binding.ts";
import type { SubjectKeys } from "../keys/subject-keys.ts";
import { keySetMoved } from "../keys/key-maker.ts";
import type { Lease } from "../stores/jobs.ts";
import type { KeyName, KeyPlace, KeyRow } from "../stores/key-store.ts";
import type { SubjectId } from "../stores/subjects.ts";
import type { WrapSetId } from "../stores/wrap-set.ts";
import type { KeyWorkDependencies } from "./add-wraps.ts";
import { WRAP_ATTEMPTS } from "./add-wraps.ts";
import { stillMissing } from "./decide-repair.ts";
import type { FullPass } from "./full-pass.ts";
import type { PersonKeyKind, StoredRun } from "./run.ts";
import { isInShare } from "./share.ts";
import type { WorkOutcome } from "./work.ts";

/** What kinds are changed with. */
export interface KindDependencies extends KeyWorkDependencies {
  readonly subjectKeys: Pick<SubjectKeys, "changeKind" | "forget" | "underTenant" | "retag">;
}

export const kindsJob = ({ id, phase }: StoredRun): string => `kinds-${phase}-${id}`;

/** Which kind becomes which, in the present phase; null: none does. */
export function kindsNow({ kinds, phase }: Pick<StoredRun, "kinds" | "phase">): StoredRun["kinds"] {
  if (kinds === null || phase === "add") return kinds;
  return phase === "undo" ? { from: kinds.to, to: kinds.from } : null;
}

/** All keys of one kind. */
export function kindChanges(
  dependencies: KindDependencies,
  run: StoredRun,
  { from, to }: NonNullable<StoredRun["kinds"]>,
): FullPass<KeyPlace> {
  const { inventory, jobs } = dependencies.store;
  const isProven = ({ version }: KeyPlace): boolean => isInShare(run.options.verify, run.id, version);
  return {
    ...{ job: kindsJob(run), inventory, jobs, clock: dependencies.clock, damaged: "subject-key-tampered" },
    sets: async (): Promise<readonly WrapSetId[]> => (await inventory.sets()).map(({ id }) => id),
    isWanted: ({ collection }) => collection === from,
    take: (place, lease) => changeAll(dependencies, { kind: from, owner: place.owner }, { to, lease, isProven }),
  };
}

interface Change {
  readonly to: PersonKeyKind;
  readonly lease: Lease;
  readonly isProven: (place: KeyPlace) => boolean;
}

/** All versions of somebody's key. @throws VaultError */
async function changeAll(dependencies: KindDependencies, name: KeyName, change: Change): Promise<WorkOutcome> {
  const { store, subjectKeys } = dependencies;
  const rows = await rowsOf(dependencies, name);
  for (const row of rows) {
    const outcome = await changeOne(dependencies, row, change);
    if (outcome.kind === "overtaken") return outcome;
  }
  subjectKeys.forget(name.owner as SubjectId);
  await store.requireRoom();
  return { kind: "settled" };
}

/** Newest first. @throws VaultError `subject-key-tampered` */
async function rowsOf({ store }: KindDependencies, name: KeyName): Promise<readonly KeyRow[]> {
  const { owner, kind } = name;
  return (await store.keys.versions(name)).flatMap((read) => soundRow(read, { owner, kinds: [kind] }) ?? []);
}

async function changeOne(
  dependencies: KindDependencies,
  row: KeyRow,
  { to, lease, isProven }: Change,
): Promise<WorkOutcome> {
  const { store, keySets, subjectKeys, audit, clock, signal } = dependencies;
  for (let attempt = 1; attempt <= WRAP_ATTEMPTS; attempt++) {
    await store.requireRoom();
    const taken = (await rowsOf(dependencies, { kind: to, owner: row.owner })).map(({ ordinal }) => ordinal);
    const as = { kind: to, ordinal: freeOrdinal(row.ordinal, taken) };
    const changed = await subjectKeys.changeKind(row, as, { isProven: isProven(row), signal }).catch(gone);
    if (changed === null) return { kind: "overtaken" };
    if (changed.wrapSet.missing.length > 0) throw stillMissing(changed.wrapSet.missing);
    const { kind, owner, version } = row;
    await audit?.tell("rewrap", "done", { people: [owner as SubjectId], details: { key: kind, version, becomes: to } });
    const place = { kind, owner, version };
    const at = clock().toISOString();
    const result = await store.inventory.rewrap({ place, seen: row.stamp, ...changed, at, lease });
    if (result.kind === "overtaken") return result;
    if (result.kind === "made") return { kind: "settled" };
    keySets.moved();
  }
  throw keySetMoved();
}

/** Erased meanwhile, or changed by another process already. */
function gone(error: unknown): null {
  if (isVaultError(error) && WITHOUT_KEY.has(error.code)) return null;
  throw error instanceof Error ? error : new VaultError("encryption-failed", "A key could not change its kind");
}

/**
 * The largest free number below the highest of the other kind; where there is none, its own beyond that: it is the
 * active one then, whose bytes are as good.
 */
function freeOrdinal(own: number, taken: readonly number[]): number {
  const highest = taken.reduce((most, ordinal) => Math.max(most, ordinal), 0);
  for (let free = highest - 1; free >= 1; free--) if (!taken.includes(free)) return free;
  return highest + own;
}
