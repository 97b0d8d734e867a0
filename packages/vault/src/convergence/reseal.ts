/**
 * Seals versions anew that lie under the right wraps and yet are not as they are to be: in another scope than their
 * collection declares, or under a data key that was made before the run. No wrap set tells which they are, so all are
 * gone through.
 */
import { decrypt, inspect } from "@strongroom/envelope";
import type { Keyring } from "@strongroom/envelope";
import { wrapVersionOf } from "@strongroom/envelope/keyrings";
import type { EncryptedDataKey } from "@strongroom/envelope/keyrings";
import { VaultError } from "../errors.ts";
import { DEFAULT_TENANT, ownerOf } from "../keys/key-binding.ts";
import type { Whom } from "../keys/subject-keys.ts";
import { HIERARCHY_PROVIDER } from "../keys/wraps.ts";
import { requireKeyStore } from "../records/version.ts";
import type { KeyKind, KeyRows, KeyVersion } from "../stores/key-store.ts";
import type { StoredMessage, VersionPlace } from "../stores/rows.ts";
import type { Scope, SubjectId } from "../stores/subjects.ts";
import type { Collection } from "../records/address.ts";
import type { WrapSetId } from "../stores/wrap-set.ts";
import type { FullPass } from "./full-pass.ts";
import { stillMissing } from "./decide-repair.ts";
import type { StoredRun } from "./run.ts";
import { sealRules } from "./run-works.ts";
import type { RunRules } from "./run-works.ts";
import { sealAnew } from "./seal-anew.ts";
import type { ChosenKeys, FoundVersion, SealDependencies, SealRules } from "./seal-anew.ts";
import { wantOf } from "./target.ts";

/** What versions are sealed anew with. */
export interface ResealDependencies extends SealDependencies {
  /** Whose a version of a key is; null: the vault has no key store. */
  readonly keyRows: Pick<KeyRows, "owners"> | null;
}

/** Whether a run has such versions to look for. */
export const hasReseals = ({ options, scopes }: StoredRun): boolean => options.fresh || scopes.length > 0;

export const resealJob = ({ id }: StoredRun): string => `reseal-${id}`;

/**
 * All versions that are in another scope than the run asks for, or, where that is asked for, older than the run. By the
 * run alone, and not by what this process declares: it may be one that was configured before.
 */
export function reseals(dependencies: ResealDependencies, run: StoredRun, rules: RunRules): FullPass<VersionPlace> {
  const { inventory, jobs } = dependencies.store;
  const scopes = new Map<string, Scope>(run.scopes.map(({ collection, to }) => [collection, to]));
  const { fresh } = run.options;
  let sets: ReadonlyMap<WrapSetId, boolean> = new Map();
  return {
    ...{ job: resealJob(run), inventory, jobs, clock: dependencies.clock, damaged: "record-tampered" },
    sets: async () => {
      sets = await meantSets(dependencies, run, rules);
      return [...sets.keys()];
    },
    isWanted: ({ collection, wrapSet, since }) => {
      if (fresh && (since === null || since < run.beganAt)) return true;
      const to = scopes.get(collection);
      const isInner = sets.get(wrapSet) === true;
      if (to === undefined) return false;
      // Which key of the key store a message hangs on only the message tells; where keys have changed their kind, all.
      return to === "record" ? isInner : !isInner || run.kinds === null;
    },
    take: async (place, lease) => {
      const choose: SealRules["choose"] = (found) => chosenKeys(dependencies, found, { fresh, to: scopes });
      return sealAnew(dependencies, place, lease, await resealRules(rules, choose));
    },
  };
}

/** Every set whose items may be meant, and whether those hang on the key store. */
async function meantSets(
  { store }: ResealDependencies,
  { options, scopes }: StoredRun,
  rules: RunRules,
): Promise<ReadonlyMap<WrapSetId, boolean>> {
  const target = await rules.target();
  const found = new Map<WrapSetId, boolean>();
  if (target === null) return found;
  const to = new Set(scopes.map((scope) => scope.to));
  for (const { id, set } of await store.inventory.sets()) {
    const { kind } = wantOf(set, target);
    if (kind === "unknown") continue;
    const isInner = kind === "inner";
    const isOff = isInner ? to.size > 0 : to.has("subject") || to.has("tenant");
    if (options.fresh || isOff) found.set(id, isInner);
  }
  return found;
}

/** A new message always takes the old one's place, if it has all the wraps that it is to have. */
async function resealRules(rules: RunRules, choose: SealRules["choose"]): Promise<SealRules> {
  return {
    ...(await sealRules(rules, { keeps: true })),
    decide: (_before, _after, { missing }) => {
      if (missing.length > 0) throw stillMissing(missing);
      return { kind: "replace", gained: [] };
    },
    choose,
  };
}

/** What a run asks of scopes. */
interface ScopeWishes {
  readonly fresh: boolean;
  /** Collections that go to another scope. A version of any other one stays in the scope that it is in. */
  readonly to: ReadonlyMap<string, Scope>;
}

/** The keys of a version's scope. One of scheme 1 has no other scope than its own. */
async function chosenKeys(
  { subjectKeys, keyRows, signal }: ResealDependencies,
  { place, stored, sealing }: FoundVersion,
  { fresh, to }: ScopeWishes,
): Promise<ChosenKeys | "stays"> {
  const inForce = { keyring: sealing.keyring, [Symbol.dispose]: () => undefined };
  if (stored.scheme === 1) return fresh ? inForce : "stays";
  const now = await scopesNow(stored.message, keyRows);
  const scope = to.get(place.collection) ?? now[0] ?? "subject";
  if (!fresh && now.includes(scope)) return "stays";
  if (scope === "record") return inForce;
  const keys = requireKeyStore(subjectKeys);
  const [sealer] = await keys.sealers([{ scope, whom: whomOf(stored), also: [] }], signal);
  if (sealer === undefined || sealer instanceof Error) throw sealer ?? new TypeError("a sealer for each request");
  const { keyring } = sealer;
  if (keyring !== null) {
    const dispose = (): void => {
      sealer[Symbol.dispose]();
    };
    return { keyring, [Symbol.dispose]: dispose };
  }
  sealer[Symbol.dispose]();
  throw new TypeError("in this scope a person's key seals");
}

/**
 * In which scopes a message is, by what it says itself; none: its key is nobody's. Of nobody's records the collection
 * has one key, in both scopes.
 */
async function scopesNow(message: Uint8Array, keyRows: ResealDependencies["keyRows"]): Promise<readonly Scope[]> {
  const [wrap] = await wrapsIn(message);
  if (wrap === undefined) return [];
  if (wrap.providerId !== HIERARCHY_PROVIDER) return ["record"];
  const version = wrapVersionOf(wrap.ciphertext, DATA_KEY_LENGTH);
  if (version === null || keyRows === null) return [];
  const [owner = null] = await keyRows.owners([version as KeyVersion]);
  return owner === null ? [] : (SCOPES_OF[owner.kind] ?? []);
}

/** Kind of a key -> the scopes of what hangs on it. */
const SCOPES_OF: Readonly<Partial<Record<KeyKind, readonly Scope[]>>> = {
  subject: ["subject"],
  "tenant-subject": ["tenant"],
  collection: ["subject", "tenant"],
};

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
