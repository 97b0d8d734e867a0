/**
 * Gives a key of the key store the wraps that it lacks under the key set in force, beside those that it has: the key
 * stays, and no message is touched. Wraps of other key sets stay too; only a drop takes them away (drop-wraps.ts).
 * Repair of what is owed is the smallest case of it.
 *
 * A key's wraps stand each for itself, other than a message's. So no more is made than is lacked, and what some regions
 * gave is stored although others gave nothing.
 */
import type { MadeWrap } from "@strongroom/envelope/keyrings";
import { VaultError } from "../errors.ts";
import { isUnderRegions, keyCheck, soundRow } from "../keys/key-binding.ts";
import { noteWritten } from "../keys/key-work.ts";
import { asKeyWrap, RegionWraps, withoutRefused, wrappingKeyOf, wrapSetOf } from "../keys/region-wraps.ts";
import type { KeyDependencies } from "../keys/region-wraps.ts";
import type { Sealing } from "../keys/key-sets.ts";
import { namedTenantKey, tenantWrapSet } from "../keys/tenant-wrap.ts";
import { keySetMoved } from "../keys/key-maker.ts";
import type { Auditor } from "../audit/auditor.ts";
import type { Lease } from "../stores/jobs.ts";
import { MAX_KEY_WRAPS } from "../stores/key-limits.ts";
import { isSubjectId } from "../stores/subjects.ts";
import type { KeyKind, KeyPlace, KeyRewrap, KeyRow, KeyWrap } from "../stores/key-store.ts";
import type { Wrap, WrapSet } from "../stores/wrap-set.ts";
import { owedRegions } from "./debt.ts";
import { decideRepair, placeName, stillMissing } from "./decide-repair.ts";
import type { WrapPlace } from "./decide-repair.ts";
import { targetOf } from "./in-force.ts";
import { REPAIR_KEYS_JOB } from "./partitions.ts";
import { wantOf } from "./target.ts";
import type { Target } from "./target.ts";
import type { Work, WorkOutcome } from "./work.ts";

/** What wraps are added and taken with. */
export interface KeyWorkDependencies extends KeyDependencies {
  /** Left out: the vault has none. */
  readonly audit?: Auditor | null;
  readonly signal: AbortSignal | undefined;
}

/** How wraps are added. */
export interface AddRules {
  /** Of the keys in force; null: any will do. */
  readonly materials: Target["materials"];
  /** Whether the new wraps of a key are opened before they count. */
  isProven(place: KeyPlace): boolean;
  /**
   * Whether it is the repair, which leaves no place: a key that seems to lack nothing is opened, in case that one of
   * its wraps is wrong, and one of another generation must get a wrap wherever it has one.
   */
  readonly isRepair: boolean;
  /** Whether nothing hangs on a key of a shredding generation that is left, so that it goes. Left out: it stays. */
  mayGo?(row: KeyRow): Promise<boolean>;
}

/** Repair proves each wrap: it is rare, and a wrap that nobody has opened is no repair. */
const REPAIR: AddRules = { materials: null, isProven: () => true, isRepair: true };

/** Tries of a key whose key set changes while it is wrapped. */
export const WRAP_ATTEMPTS = 8;

/** The keys of a key store that owe a wrap. */
export function owedKeys(dependencies: KeyWorkDependencies): Work<KeyPlace> {
  const { inventory, jobs } = dependencies.store;
  return {
    job: REPAIR_KEYS_JOB,
    inventory,
    jobs,
    damaged: "subject-key-tampered",
    wanted: () => owedRegions({ sets: () => inventory.sets() }),
    converge: (place, lease) => addWraps(dependencies, place, lease),
  };
}

/**
 * Adds what one key lacks.
 *
 * @param lease of the job that does it: nothing is changed once it is somebody else's. Null: no job does it.
 * @throws VaultError `subject-key-tampered`, `key-not-configured`, `regions-unavailable`, `wraps-below-minimum`,
 *   `wraps-still-missing` when nothing was gained, `wraps-would-be-lost`, `deadline-exceeded`, `keyring-overloaded`,
 *   `aborted`, `encryption-failed`, `key-set-unknown`, `key-set-moved`; the store's. The row is as it was then.
 */
export async function addWraps(
  dependencies: KeyWorkDependencies,
  place: KeyPlace,
  lease: Lease | null,
  rules: AddRules = REPAIR,
): Promise<WorkOutcome> {
  const left = OF_ONE_GENERATION.has(place.kind) ? await leaveGeneration(dependencies, place, rules) : null;
  return left ?? changeKey(dependencies, place, lease, (row) => wrapAnew(dependencies, row, rules));
}

/** Keys that are followed by others in each generation, and never move into the next one. */
const OF_ONE_GENERATION: ReadonlySet<KeyKind> = new Set<KeyKind>(["tenant", "lookup"]);

/** Lets a key of another generation go that nothing hangs on. Null: it is of the generation in force. */
async function leaveGeneration(
  { store, keySets, audit }: KeyWorkDependencies,
  { owner, kind, version }: KeyPlace,
  rules: AddRules,
): Promise<WorkOutcome | null> {
  const { epoch, generation } = await keySets.forWriting();
  const row = soundRow(await store.keys.version(owner, version), { owner, kinds: [kind], version });
  if (row === null) return { kind: "overtaken", isGone: true };
  if (row.generation === generation) return null;
  if ((await rules.mayGo?.(row)) !== true) return { kind: "waits" };
  await audit?.tell("shred", "done", { details: { key: kind, version, generation: row.generation } });
  const result = await store.keys.drop({ place: { owner, kind, version }, seen: row.stamp, epoch });
  if (result.kind === "made") return { kind: "settled" };
  if (result.kind === "gate-moved") keySets.moved();
  return { kind: "overtaken" };
}

/** What is to be done to a row, and what it comes to. */
export interface KeyChange {
  readonly outcome: WorkOutcome;
  readonly change: Pick<KeyRewrap, "epoch" | "wraps" | "moved" | "wrapSet">;
}

/** Reads a key, decides by its row, and changes it if nothing has happened to the row meanwhile. */
export async function changeKey(
  { store, keySets, clock, audit }: KeyWorkDependencies,
  place: KeyPlace,
  lease: Lease | null,
  decide: (row: KeyRow) => Promise<KeyChange | null>,
): Promise<WorkOutcome> {
  for (let attempt = 1; attempt <= WRAP_ATTEMPTS; attempt++) {
    await store.requireRoom();
    const { owner, kind, version } = place;
    const row = soundRow(await store.keys.version(owner, version), { owner, kinds: [kind], version });
    // Erased since it was found.
    if (row === null) return { kind: "overtaken" };
    const decided = await decide(row);
    if (decided === null) return { kind: "overtaken" };
    const { outcome, change } = decided;
    if (change.wraps !== null) await tell(audit, row);
    const at = clock().toISOString();
    const result = await store.inventory.rewrap({ place, seen: row.stamp, ...change, at, lease });
    if (result.kind === "overtaken") return { kind: "overtaken" };
    if (result.kind === "made") {
      noteWritten(bytesOf(change.wraps ?? []));
      return outcome;
    }
    keySets.moved();
  }
  throw keySetMoved();
}

const bytesOf = (wraps: readonly KeyWrap[]): number =>
  wraps.reduce((sum, { info, ciphertext }) => sum + info.length + ciphertext.length, 0);

/** Before the new wraps are stored. */
async function tell(audit: KeyWorkDependencies["audit"], { kind, owner, version }: KeyRow): Promise<void> {
  await audit?.tell("rewrap", "done", {
    people: isSubjectId(owner) ? [owner] : [],
    details: { key: kind, version },
  });
}

async function wrapAnew(dependencies: KeyWorkDependencies, row: KeyRow, rules: AddRules): Promise<KeyChange> {
  const { keySets, signal } = dependencies;
  const sealing = await keySets.forWriting();
  const { epoch } = sealing;
  // Wrapped under another key of this store: whatever its row says, it owes nothing to regions.
  const named = namedTenantKey(row.wraps);
  if (named !== null) return settled(tenantWrapSet(named.tenant, named.version), epoch);
  if (!isUnderRegions(row)) return settled({ ...wrapSetOf(row.wraps), target: 1 }, epoch);
  if (row.generation !== sealing.generation) return moveOn(dependencies, row, rules);
  const regions = new RegionWraps(dependencies);
  const target = targetOf(sealing, rules.materials);
  const account = row.wrapSet ?? wrapSetOf(row.wraps);
  let wrong: ReadonlySet<string> = new Set(account.missing.map(({ keyArn }) => keyArn));
  if (!lacksAny(row, account, target)) {
    wrong = new Set(rules.isRepair ? await wrongWraps(regions, row) : []);
    const wraps = accountOf(row.wraps, account);
    if (wrong.size === 0) return settled({ wraps, target: target?.target ?? wraps.length, missing: [] }, epoch);
  }
  const have = haveOf(row, account, { target, wrong });
  // Only by opening it is the material of a new wrap known everywhere.
  const proof = rules.isProven(row) || rules.materials !== null ? "opened" : "none";
  const { made, missing, target: wanted } = await regions.rewrap(row, sealing, { have, proof, signal });
  const remade = new Set(made.map(({ key }) => key).filter((key) => wrong.has(key)));
  const staying = row.wraps.filter((wrap) => !remade.has(wrappingKeyOf(wrap).key));
  if (made.length === 0 && missing.length > 0) throw stillMissing(missing);
  const wraps = [...made.map(({ wrap }) => asKeyWrap(wrap)), ...staying];
  if (wraps.length > MAX_KEY_WRAPS) throw tooMany();
  const wrapSet = {
    wraps: [
      ...made.map(({ wrap, key, material }) => ({ provider: wrap.providerId, key, material })),
      ...accountOf(staying, account),
    ],
    target: wanted,
    missing,
  };
  if (made.length === 0) return settled(wrapSet, epoch);
  const isPartial = missing.length > 0 ? { isPartial: true as const } : {};
  const outcome = { kind: "repaired" as const, gained: made.map(gainedOf), ...isPartial };
  return { outcome, change: { epoch, wraps, moved: null, wrapSet } };
}

interface Known {
  readonly target: Target | null;
  /** Wrapping keys whose wrap is wrong, or is not there. */
  readonly wrong: ReadonlySet<string>;
}

/** Whether a row lacks a wrap; of a key set without names, whether it owes one. */
function lacksAny(row: KeyRow, account: WrapSet, target: Target | null): boolean {
  if (target === null) return account.missing.length > 0;
  const want = wantOf({ ...account, wraps: accountOf(row.wraps, account) }, target);
  return want.kind === "wraps" && want.lacks.length > 0;
}

/** Wrapping keys in force of which the row has a right wrap; without names, those of any set. */
function haveOf({ wraps }: KeyRow, account: WrapSet, { target, wrong }: Known): readonly string[] {
  const known = accountOf(wraps, account);
  const isCurrent = ({ key, material }: Wrap): boolean => {
    const current = target?.materials?.get(key);
    return current === undefined || current === material;
  };
  return [
    ...new Set(
      known
        .filter((wrap) => !wrong.has(wrap.key) && (target?.names.has(wrap.key) ?? true) && isCurrent(wrap))
        .map(({ key }) => key),
    ),
  ];
}

/** Wrapping keys whose wraps are found to be wrong while the key is opened. */
async function wrongWraps(regions: RegionWraps, row: KeyRow): Promise<readonly string[]> {
  const { key, refused = [] } = await regions.open(row);
  key.wipe();
  return refused.map((wrap) => wrap.key);
}

/** The account of wraps that stay: with the material that was noted of each, where there is one. */
export function accountOf(wraps: readonly KeyWrap[], { wraps: noted }: WrapSet): readonly Wrap[] {
  const left = [...noted];
  return wrapSetOf(wraps).wraps.map((wrap) => {
    const index = left.findIndex(({ provider, key }) => provider === wrap.provider && key === wrap.key);
    return index < 0 ? wrap : (left.splice(index, 1)[0] ?? wrap);
  });
}

/** The wraps stay, and their account is set right. */
function settled(wrapSet: WrapSet, epoch: Sealing["epoch"]): KeyChange {
  return { outcome: { kind: "settled" }, change: { epoch, wraps: null, moved: null, wrapSet } };
}

const gainedOf = ({ wrap }: MadeWrap): string => placeName(placeOf(asKeyWrap(wrap)));

/**
 * All wraps anew, in a row of this vault's generation: those of another generation are left whole, or the row would say
 * that they are of this one.
 */
async function moveOn(dependencies: KeyWorkDependencies, row: KeyRow, rules: AddRules): Promise<KeyChange> {
  const { vault, signal } = dependencies;
  const regions = new RegionWraps(dependencies);
  const { key, refused = [] } = await regions.open(row);
  try {
    const { epoch, generation, wraps, wrapSet } = await regions.wrap(key, row, signal);
    const { missing } = wrapSet;
    const before = withoutRefused(row.wraps, refused).map(placeOf);
    const after = wraps.map(placeOf);
    if (!rules.isRepair && missing.length > 0) throw stillMissing(missing);
    const decision = rules.isRepair
      ? decideRepair(before, after, missing)
      : { kind: "replace" as const, gained: after.map(placeName) };
    const outcome = decision.kind === "settled" ? decision : { kind: "repaired" as const, gained: decision.gained };
    const moved = { generation, check: keyCheck(key, vault, { ...row, generation }) };
    // No old wrap is left beside these.
    if (rules.isProven(row))
      for (const wrap of wraps) (await regions.open({ ...row, ...moved, wraps: [wrap] })).key.wipe();
    return { outcome, change: { epoch, wraps, moved, wrapSet } };
  } finally {
    key.wipe();
  }
}

function placeOf(wrap: KeyWrap): WrapPlace {
  const { providerId, key, region } = wrappingKeyOf(wrap);
  return { providerId, keyInfo: key, region };
}

function tooMany(): VaultError {
  return new VaultError(
    "wraps-would-be-lost",
    `A key has no room for more than ${MAX_KEY_WRAPS} wraps: let those under keys that were left go first`,
  );
}
