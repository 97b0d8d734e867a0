/**
 * Seals one version anew: reads and opens it where it lies, seals the same bytes in a new message, and puts that in its
 * place if nothing has happened there meanwhile. Repair of owed wraps does so, and each run of the convergence; what
 * they ask of the new message is in their rules.
 *
 * Never the old message with more wraps: its header is authenticated with a key derived for its message id and a fixed
 * IV, so a second header under the same id would repeat a nonce and give the authentication key away. A new message has
 * an id and a data key of its own.
 */
import { decrypt, inspect } from "@strongroom/envelope";
import type { InspectedDataKey, Keyring } from "@strongroom/envelope";
import type { Auditor, Concerned } from "../audit/auditor.ts";
import { envelopeFailure } from "../envelope-failure.ts";
import { VaultError } from "../errors.ts";
import type { Sealing } from "../keys/key-sets.ts";
import { notedCalls, noteWritten } from "../keys/key-work.ts";
import { onlyWrap } from "../keys/one-wrap.ts";
import { isOfKeyStore, KEY_STORE_WRAP_SET, wrapsOf } from "../keys/wraps.ts";
import type { Dependencies } from "../limits.ts";
import {
  damaged,
  keySetMoved,
  openBytes,
  requireContext,
  sealBytes,
  storedAddress,
  versionContext,
} from "../records/version.ts";
import type { VersionAddress } from "../records/version.ts";
import type { RewrapResult } from "../stores/inventory.ts";
import type { Lease } from "../stores/jobs.ts";
import type { RecordRead, StoredMessage, VersionPlace } from "../stores/rows.ts";
import type { MissingWrap, WrapSet } from "../stores/wrap-set.ts";
import type { RepairDecision, WrapPlace } from "./decide-repair.ts";
import type { WorkOutcome } from "./work.ts";

/** What versions are sealed anew with. */
export interface SealDependencies extends Pick<Dependencies, "store" | "keys" | "subjectKeys" | "clock"> {
  /** Left out: the vault has none. */
  readonly audit?: Auditor | null;
  readonly signal: AbortSignal | undefined;
}

/** A version as it was read, with what is in force. */
export interface FoundVersion {
  readonly place: VersionPlace;
  readonly stored: StoredMessage;
  readonly sealing: Sealing;
}

/** What is asked of a new message. */
export interface SealRules {
  /**
   * Whether the new message takes the place of the old one.
   *
   * @param before wraps of the old one that are right
   * @throws VaultError where it must not, and the old one is not enough
   */
  decide(before: readonly WrapPlace[], after: readonly WrapPlace[], found: DecidedBy): RepairDecision;
  /** Whether the old message is kept beside the new one. */
  keeps(found: FoundVersion): Promise<boolean>;
  /** Whether the new message is opened by each of its wraps before it is stored. */
  isProven(place: VersionPlace): boolean;
  /** Seals a message that hangs on the key store anew too, and may choose other keys; null: those in force. */
  readonly choose: ((found: FoundVersion) => Promise<ChosenKeys | "stays">) | null;
  /** The account of a new message's wraps, where more is known of them than the message says. */
  account(set: WrapSet): WrapSet;
}

/** What a decision goes by besides the wraps. */
export interface DecidedBy extends Pick<FoundVersion, "sealing"> {
  readonly missing: readonly MissingWrap[];
}

/** Keys that seal one version. */
export interface ChosenKeys extends Disposable {
  readonly keyring: Keyring;
}

/** Tries of a version whose key set changes while it is sealed. */
const SEAL_ATTEMPTS = 8;

/**
 * Seals one version anew.
 *
 * @param lease of the job that does it: nothing is changed once it is somebody else's. Null: no job does it.
 * @throws VaultError the `record-…` codes, `key-not-configured`, `regions-unavailable`, `wraps-below-minimum`,
 *   `wraps-still-missing`, `wraps-would-be-lost`, `deadline-exceeded`, `keyring-overloaded`, `aborted`,
 *   `encryption-failed`, `key-set-unknown`, `key-set-moved`; the store's. The stored message is as it was then.
 */
export async function sealAnew(
  dependencies: SealDependencies,
  place: VersionPlace,
  lease: Lease | null,
  rules: SealRules,
): Promise<WorkOutcome> {
  const { store, keys } = dependencies;
  for (let attempt = 1; attempt <= SEAL_ATTEMPTS; attempt++) {
    await store.requireRoom();
    const found = await newestOf(dependencies, place);
    if (found === "gone") return { kind: "overtaken", isGone: true };
    if (found === "overtaken") return { kind: "overtaken" };
    const { decision, result } = await replace(dependencies, { place, stored: found.stored, lease }, rules);
    if (result.kind === "overtaken") return { kind: "overtaken" };
    if (result.kind === "made") return outcomeOf(decision);
    keys.moved();
  }
  throw keySetMoved();
}

/**
 * A version as it lies there, if its record is as the log of the audit knows it: or what was put in the place of a
 * message would be sealed anew, and be known from then on. `overtaken`: its record has changed since it was read, and
 * the version may be as it was: it is to be read again.
 *
 * @throws VaultError the `record-…` codes, `audit-unavailable`
 */
export async function newestOf(
  { store, audit }: Pick<SealDependencies, "store" | "audit">,
  place: VersionPlace,
): Promise<{ readonly stored: StoredMessage; readonly rows: RecordRead } | "gone" | "overtaken"> {
  const rows = await store.records.read(place, place.version);
  const { stored, damage } = rows;
  if (stored === null && damage !== undefined) throw damaged({ damage });
  if (stored === null) return "gone";
  const { version, message } = stored;
  const standing = await audit?.requireNewest([{ row: place, rows, version, message }]);
  return standing === "overtaken" ? standing : { stored, rows };
}

function outcomeOf(decision: Decision): WorkOutcome {
  if (decision.kind !== "replace") return decision;
  const { gained, isPartial } = decision;
  return { kind: "repaired", gained, ...(isPartial ? { isPartial } : {}) };
}

type Decision = RepairDecision & { readonly isPartial?: true };

interface Found {
  readonly place: VersionPlace;
  readonly stored: StoredMessage;
  readonly lease: Lease | null;
}

async function replace(
  { store, keys, subjectKeys, audit, clock, signal }: SealDependencies,
  { place, stored, lease }: Found,
  rules: SealRules,
): Promise<{ readonly decision: Decision; readonly result: RewrapResult }> {
  const sealing = await keys.forWriting();
  const { epoch } = sealing;
  const found = { place, stored, sealing };
  const { message: base, stamp } = stored;
  const address = storedAddress(place, stored, subjectKeys);
  const at = clock().toISOString();
  const hangsOnKeyStore = address.vault !== undefined && requireContext(base, address).some(isOfKeyStore);
  const chosen = rules.choose === null ? null : await rules.choose(found);
  if (chosen === "stays") return { decision: { kind: "settled" }, result: { kind: "made" } };
  // Its row says that it owes what only messages with wraps of their own can owe.
  if (hangsOnKeyStore && chosen === null) {
    const change = { place, seen: stamp, epoch, message: null, wrapSet: KEY_STORE_WRAP_SET, at, lease };
    return { decision: { kind: "settled" }, result: await store.inventory.rewrap(change) };
  }
  using own = chosen;
  const keyring = own?.keyring ?? sealing.keyring;
  const plaintext = await openBytes(base, address, { keys, subjectKeys, signal });
  try {
    const { message, wrapSet } = await sealBytes(plaintext, address, { keyring, signal });
    const wrong = await wrapsOwedThatAreThere(store, stored);
    const before = placesOf(base).filter(({ keyInfo }) => !wrong.has(keyInfo));
    const decision = rules.decide(before, placesOf(message), { sealing, missing: wrapSet.missing });
    if (decision.kind === "settled") {
      const account = { ...wrapSet, wraps: wrapsOf(base) };
      const change = { place, seen: stamp, epoch, message: null, wrapSet: account, at, lease };
      return { decision, result: await store.inventory.rewrap(change) };
    }
    const keeps = (await rules.keeps(found)) ? { keeps: true as const } : {};
    if (rules.isProven(place)) {
      const opening = wrapSet === KEY_STORE_WRAP_SET ? (subjectKeys?.opening ?? keyring) : keyring;
      await prove(message, address, { keyring: opening, plaintext, signal });
    }
    await audit?.rewrap({ ...concernedBy(place, stored), message });
    const change = { place, seen: stamp, epoch, message, wrapSet: rules.account(wrapSet), at, lease, ...keeps };
    const isPartial = wrapSet.missing.length > 0 ? { isPartial: true as const } : {};
    const result = await store.inventory.rewrap(change);
    if (result.kind === "made") noteWritten(message.length);
    return { decision: { ...decision, ...isPartial }, result };
  } finally {
    plaintext.fill(0);
  }
}

/**
 * That a new message opens by each of its wraps to what was sealed. Under a key of the key store there is one, and no
 * KMS is asked.
 *
 * @throws VaultError `record-tampered` where one does not; as opening does
 */
async function prove(
  message: Uint8Array,
  address: VersionAddress,
  {
    keyring,
    plaintext,
    signal,
  }: { readonly keyring: Keyring; readonly plaintext: Uint8Array; readonly signal: AbortSignal | undefined },
): Promise<void> {
  const wraps = placesOf(message);
  for (const [index] of wraps.entries()) {
    const options = { keyring: onlyWrap(keyring, index), encryptionContext: versionContext(address) };
    let opened: Uint8Array;
    try {
      opened = (await decrypt(message, { ...options, ...(signal === undefined ? {} : { signal }), ...notedCalls() }))
        .plaintext;
    } catch (error) {
      throw envelopeFailure(error);
    }
    const isSame = Buffer.compare(opened, plaintext) === 0;
    opened.fill(0);
    if (!isSame) throw new VaultError("encryption-failed", "A message that was just made opens to something else");
  }
}

/**
 * Wrapping keys whose wraps the message has and owes all the same: a verification has found that they do not open. They
 * count for nothing.
 */
async function wrapsOwedThatAreThere(
  { inventory }: Pick<SealDependencies["store"], "inventory">,
  { stamp }: StoredMessage,
): Promise<ReadonlySet<string>> {
  const known = (await inventory.sets()).find(({ id }) => id === stamp.wrapSet);
  return new Set(known?.set?.missing.map(({ keyArn }) => keyArn));
}

/** The record's own id is not asked for: it would cost a key. */
export function concernedBy(place: VersionPlace, { version, scheme, subject, about }: StoredMessage): Concerned {
  return { row: { collection: place.collection, id: place.id }, id: null, version, scheme, subject, about };
}

function placesOf(message: Uint8Array): readonly InspectedDataKey[] {
  try {
    return inspect(message).encryptedDataKeys;
  } catch (error) {
    throw envelopeFailure(error);
  }
}
