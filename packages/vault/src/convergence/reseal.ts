/**
 * Seals versions anew that lie under the right wraps and yet are not as they are to be: in another scope than their
 * collection declares, or under a data key that was made before the run. No wrap set tells which they are. So each
 * partition is gone through from its beginning to its end, and is finished once a pass has met none that failed.
 */
import { randomUUID } from "node:crypto";
import { hostname } from "node:os";
import { mapBounded } from "@strongroom/base/work";
import { decrypt, inspect } from "@strongroom/envelope";
import type { Keyring } from "@strongroom/envelope";
import { wrapVersionOf } from "@strongroom/envelope/keyrings";
import type { EncryptedDataKey } from "@strongroom/envelope/keyrings";
import type { Declarations } from "../collections/declaration.ts";
import { envelopeFailure } from "../envelope-failure.ts";
import { VaultError } from "../errors.ts";
import type { VaultErrorCode } from "../errors.ts";
import { DEFAULT_TENANT, ownerOf } from "../keys/key-binding.ts";
import type { Whom } from "../keys/subject-keys.ts";
import { HIERARCHY_PROVIDER } from "../keys/wraps.ts";
import { requireKeyStore } from "../records/version.ts";
import type { BucketRange, InventoryItem } from "../stores/inventory.ts";
import type { Leased } from "../stores/jobs.ts";
import type { KeyRows, KeyVersion } from "../stores/key-store.ts";
import type { StoredMessage } from "../stores/rows.ts";
import type { Scope, SubjectId } from "../stores/subjects.ts";
import type { Collection } from "../records/address.ts";
import type { WrapSetId } from "../stores/wrap-set.ts";
import { bucketsOf, REPAIR_PARTITIONS } from "./partitions.ts";
import { stillMissing } from "./decide-repair.ts";
import type { StoredRun } from "./run.ts";
import { sealRules } from "./run-works.ts";
import type { RunRules } from "./run-works.ts";
import { originOf, waitMs } from "./schedule.ts";
import type { RepairSettings } from "./schedule.ts";
import { sealAnew } from "./seal-anew.ts";
import type { ChosenKeys, FoundVersion, SealDependencies, SealRules } from "./seal-anew.ts";
import { wantOf } from "./target.ts";

/** What versions are sealed anew with. */
export interface ResealDependencies extends SealDependencies {
  readonly declarations: Pick<Declarations, "of">;
  /** Whose a version of a key is; null: the vault has no key store. */
  readonly keyRows: Pick<KeyRows, "owners"> | null;
}

/** How a pass goes about it. */
export interface ResealPass {
  readonly rules: RunRules;
  readonly settings: RepairSettings;
  /** Whether another item may be begun. */
  begin(): Promise<boolean>;
  ended(): void;
  done(): void;
  failed(code: VaultErrorCode): void;
  readonly stop: AbortSignal;
}

/** A partition that was looked at and has some that failed is due again after so long at least. */
const NEXT_MS = 1;

/** Whether a run has such versions to look for. */
export const hasReseals = ({ options, scopes }: StoredRun): boolean => options.fresh || scopes.length > 0;

/** The job of a run: what is finished in it says nothing to the next run. */
export const resealJob = ({ id }: StoredRun): string => `reseal-${id}`;

/** Whether a run's partitions are all finished. @throws VaultError of the store */
export async function isResealed({ store }: Pick<SealDependencies, "store">, run: StoredRun): Promise<boolean> {
  const own = (await store.jobs.list()).filter(({ job }) => job === resealJob(run));
  return own.length >= REPAIR_PARTITIONS.length && own.every(({ state }) => state === "finished");
}

/** Goes through the partitions that this process gets hold of. @throws VaultError of the store */
export async function reseal(dependencies: ResealDependencies, run: StoredRun, pass: ResealPass): Promise<void> {
  const { jobs } = dependencies.store;
  const job = resealJob(run);
  await jobs.add(job, REPAIR_PARTITIONS);
  const holder = `${hostname().slice(0, 64)}/${process.pid}/${randomUUID().slice(0, 8)}`;
  const isOver = (): boolean => pass.stop.aborted;
  while (!isOver()) {
    const leased = await jobs.lease({ job, holder, ms: pass.settings.leaseMs });
    if (leased === null) break;
    const buckets = bucketsOf(leased.partition);
    if (buckets !== null) await new Partition(dependencies, run, pass).visit(leased, buckets);
  }
}

/** What became of an item. `left`: nothing was done to it. */
type Ended = "done" | "left" | { readonly failed: VaultErrorCode; readonly waitMs: number };

class Partition {
  readonly #d: ResealDependencies;
  readonly #run: StoredRun;
  readonly #pass: ResealPass;
  readonly #scopes: ReadonlyMap<string, Scope>;

  constructor(dependencies: ResealDependencies, run: StoredRun, pass: ResealPass) {
    this.#d = dependencies;
    this.#run = run;
    this.#pass = pass;
    this.#scopes = new Map(run.scopes.map(({ collection, to }) => [collection, to]));
  }

  /** From the beginning, also where another process had begun: what had failed there is met again. */
  async visit(leased: Leased, buckets: BucketRange): Promise<void> {
    const { store, clock } = this.#d;
    const { settings, stop } = this.#pass;
    const sets = await this.#sets();
    const all = [...sets.keys()];
    let [after, wait, isWhole]: [string | null, number, boolean] = [null, 0, true];
    do {
      const until = clock().getTime() + settings.leaseMs;
      const limit = settings.convergeItems;
      const items: readonly InventoryItem[] =
        all.length === 0 ? [] : await store.inventory.list({ sets: all, buckets, after, limit });
      const wanted = items.filter((item) => this.#isWanted(item, sets));
      const ended = await mapBounded(wanted, settings.convergeAtOnce, (item) => this.#take(item, leased, until));
      const failed = ended.flatMap((end) => (typeof end === "object" ? [end] : []));
      isWhole &&= !ended.includes("left");
      wait = Math.max(wait, ...failed.map((end) => end.waitMs));
      after = items.length < limit || stop.aborted || !isWhole ? null : (items.at(-1)?.position ?? null);
      const code = failed.at(-1)?.failed;
      const progress = {
        ...{ cursor: null, done: ended.filter((end) => end === "done").length, failed: failed.length },
        problem: code === undefined ? null : { code, at: clock().toISOString() },
      };
      const isFinished = isWhole && wait === 0 && !stop.aborted;
      if (after === null) await store.jobs.finish(leased, progress, isFinished ? null : Math.max(wait, NEXT_MS));
      else if ((await store.jobs.save(leased, progress, settings.leaseMs)) === "overtaken") return;
    } while (after !== null);
  }

  /** Every set whose items may be meant, and whether those hang on the key store. */
  async #sets(): Promise<ReadonlyMap<WrapSetId, boolean>> {
    const target = await this.#pass.rules.target();
    const found = new Map<WrapSetId, boolean>();
    if (target === null) return found;
    const to = new Set(this.#scopes.values());
    for (const { id, set } of await this.#d.store.inventory.sets()) {
      const { kind } = wantOf(set, target);
      if (kind === "unknown") continue;
      const isInner = kind === "inner";
      const isOff = isInner ? to.size > 0 : to.has("subject") || to.has("tenant");
      if (this.#run.options.fresh || isOff) found.set(id, isInner);
    }
    return found;
  }

  #isWanted({ collection, wrapSet, since }: InventoryItem, sets: ReadonlyMap<WrapSetId, boolean>): boolean {
    const isOld = since === null || since < this.#run.beganAt;
    if (this.#run.options.fresh && isOld) return true;
    const to = this.#scopes.get(collection);
    // Which key of the key store a message hangs on only the message tells.
    return to !== undefined && (to === "record" ? sets.get(wrapSet) === true : sets.get(wrapSet) === false || isOld);
  }

  async #take({ place, failure }: InventoryItem, leased: Leased, until: number): Promise<Ended> {
    const { settings, rules } = this.#pass;
    if (place === null) return { failed: "record-tampered", waitMs: settings.itemWaitMs };
    if (this.#pass.stop.aborted || !(await this.#pass.begin())) return "left";
    if (this.#d.clock().getTime() >= until) return "left";
    try {
      const outcome = await sealAnew(
        this.#d,
        place,
        leased,
        await resealRules(this.#d, rules, this.#run.options.fresh),
      );
      if (outcome.kind !== "overtaken") this.#pass.done();
      return "done";
    } catch (error) {
      const { code } = envelopeFailure(error);
      const origin = originOf(code);
      if (origin === "store") throw error;
      if (origin === "caller" || origin === "load") return "left";
      const wait = waitMs(origin, (failure?.attempts ?? 0) + 1, settings);
      const at = this.#d.clock().toISOString();
      await this.#d.store.inventory.fail(leased, place, { code, at, waitMs: wait });
      this.#pass.failed(code);
      return { failed: code, waitMs: wait };
    } finally {
      this.#pass.ended();
    }
  }
}

/** A new message always takes the old one's place, if it has all the wraps that it is to have. */
async function resealRules(dependencies: ResealDependencies, rules: RunRules, fresh: boolean): Promise<SealRules> {
  return {
    ...(await sealRules(rules, { keeps: true })),
    decide: (_before, _after, { missing }) => {
      if (missing.length > 0) throw stillMissing(missing);
      return { kind: "replace", gained: [] };
    },
    choose: (found) => chosenKeys(dependencies, found, fresh),
  };
}

/** The keys of the scope that the collection declares. A version of scheme 1 has no other scope than its own. */
async function chosenKeys(
  { declarations, subjectKeys, keyRows, signal }: ResealDependencies,
  { place, stored, sealing }: FoundVersion,
  fresh: boolean,
): Promise<ChosenKeys | "stays"> {
  const { scope } = declarations.of(place.collection);
  const inForce = { keyring: sealing.keyring, [Symbol.dispose]: () => undefined };
  if (stored.scheme === 1) return fresh ? inForce : "stays";
  if (!fresh && (await isInScope(stored.message, scope, keyRows))) return "stays";
  if (scope === "record") return inForce;
  const keys = requireKeyStore(subjectKeys);
  const [sealer] = await keys.sealers([{ scope, whom: whomOf(stored), also: [] }], signal);
  if (sealer === undefined || sealer instanceof Error) throw sealer ?? new TypeError("a sealer for each request");
  const { keyring } = sealer;
  if (keyring !== null) return { keyring, [Symbol.dispose]: () => sealer[Symbol.dispose]() };
  sealer[Symbol.dispose]();
  throw new TypeError("in this scope a person's key seals");
}

/** Whether a message is in a scope, by what it says itself. Of nobody's records the collection has the one key. */
async function isInScope(message: Uint8Array, scope: Scope, keyRows: ResealDependencies["keyRows"]): Promise<boolean> {
  const [wrap] = await wrapsIn(message);
  if (wrap?.providerId !== HIERARCHY_PROVIDER) return scope === "record";
  if (scope === "record" || keyRows === null) return false;
  const version = wrapVersionOf(wrap.ciphertext, DATA_KEY_LENGTH);
  const [owner] = version === null ? [] : await keyRows.owners([version as KeyVersion]);
  const kind = owner?.kind ?? null;
  return kind === "collection" || kind === (scope === "subject" ? "subject" : "tenant-subject");
}

const DATA_KEY_LENGTH = 32;

/** The wraps of a message, which only a keyring is shown whole: this one opens none of them. */
async function wrapsIn(message: Uint8Array): Promise<readonly EncryptedDataKey[]> {
  let found: readonly EncryptedDataKey[] = [];
  const keyring: Keyring = {
    onEncrypt: (materials) => Promise.resolve(materials),
    onDecrypt: (materials, dataKeys) => {
      found = dataKeys;
      return Promise.resolve(materials);
    },
  };
  const { encryptionContext } = inspect(message);
  // It opens nothing, and so it is refused in any case.
  await decrypt(message, { keyring, encryptionContext }).catch(() => undefined);
  return found;
}

function whomOf({ subject }: StoredMessage): Whom {
  const named = ownerOf(subject);
  if (named === null) throw new VaultError("record-tampered", "The row of the version says that it is about no one");
  if (named.kinds.includes("collection")) return { kind: "nobody", collection: named.owner as Collection };
  return { kind: "id", id: named.owner as SubjectId, tenant: DEFAULT_TENANT };
}
