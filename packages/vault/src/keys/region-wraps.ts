/**
 * Keys under the regions: made with a wrap in each, opened by the nearest that gives the right key. Which key is right
 * the check in its row tells, so that a region which answers another one is accused, and what it owes is noted.
 */
import { randomUUID } from "node:crypto";
import { isEnvelopeError } from "@strongroom/envelope";
import type { Keyring } from "@strongroom/envelope";
import { makeKey, namedKey, rewrapKey, unwrapKey, wrapKey } from "@strongroom/envelope/keyrings";
import type {
  EncryptedDataKey,
  KeyWraps,
  OpeningKey,
  Rewrapped,
  SecretBytes,
  UnwrappedKey,
} from "@strongroom/envelope/keyrings";
import { envelopeFailure, openByOthers } from "../envelope-failure.ts";
import type { VaultError } from "../errors.ts";
import type { Epoch } from "../stores/gate.ts";
import type { KeyName, KeyRow, KeyStore, KeyVersion, KeyWrap, NewKey } from "../stores/key-store.ts";
import type { WrapSet } from "../stores/wrap-set.ts";
import { isKeyOf, KEY_ARN_ENTRY, keyCheck, keyContext, keyTampered } from "./key-binding.ts";
import type { CheckedColumns } from "./key-binding.ts";
import type { KeySets, Sealing } from "./key-sets.ts";
import { notedCalls } from "./key-work.ts";
import { sealedWrapSet, wrapNamed } from "./wraps.ts";

/** What keys are made and opened with. */
export interface KeyDependencies {
  readonly store: KeyStore;
  /** The vault's id: every key is bound to it. */
  readonly vault: string;
  /** Of the key store. */
  readonly keySets: KeySets;
  readonly clock: () => Date;
}

/** A key that is not in the store yet. Whoever has it wipes it. */
export interface FreshKey {
  readonly key: SecretBytes;
  readonly row: NewKey;
  /** At which it was wrapped. */
  readonly epoch: Epoch;
}

/** What a key of this store is made at: the epoch at which it may be stored, and the generation of that set. */
export type MadeAt = Pick<Sealing, "epoch" | "generation">;

/** A key as its row is read; of one that was just made, without a stamp. */
export type KeyColumns = Omit<KeyRow, "stamp" | "wrapSet">;

/** Which wraps are not to be made, and what is asked of the new ones. */
export interface RewrapWishes {
  /** Names of wrapping keys of which the row has a right wrap. */
  readonly have: readonly string[];
  readonly proof: "opened" | "none";
  readonly signal: AbortSignal | undefined;
}

export class RegionWraps {
  readonly #dependencies: KeyDependencies;

  constructor(dependencies: KeyDependencies) {
    this.#dependencies = dependencies;
  }

  /**
   * A new key: one call to the KMS for it, and one for each further wrap.
   *
   * @throws VaultError `wraps-below-minimum`, `deadline-exceeded`, `keyring-overloaded`, `aborted`,
   *   `encryption-failed`, `key-set-unknown`; the store's
   */
  async make(name: KeyName, ordinal: number, signal: AbortSignal | undefined): Promise<FreshKey> {
    const { vault, keySets } = this.#dependencies;
    const { epoch, generation, keyring } = await keySets.forWriting();
    const columns = newColumns(this.#dependencies, { name, ordinal, generation });
    try {
      const { key, wraps, report } = await makeKey({
        keyring,
        encryptionContext: keyContext(vault, columns, columns.createdAt),
        keyArnEntry: KEY_ARN_ENTRY,
        ...(signal === undefined ? {} : { signal }),
        ...notedCalls(),
      });
      return { key, row: { ...columns, check: keyCheck(key, vault, columns), ...stored({ wraps, report }) }, epoch };
    } catch (error) {
      throw envelopeFailure(error);
    }
  }

  /**
   * New wraps of a key that was opened, in all regions of the key set in force: a call to the KMS for each.
   *
   * @throws VaultError as making does
   */
  async wrap(
    key: SecretBytes,
    row: KeyColumns,
    signal: AbortSignal | undefined,
  ): Promise<Pick<NewKey, "wraps" | "wrapSet"> & MadeAt> {
    const { vault, keySets } = this.#dependencies;
    const { epoch, generation, keyring } = await keySets.forWriting();
    try {
      const wrapped = await wrapKey(key, {
        keyring,
        encryptionContext: keyContext(vault, row, row.createdAt),
        keyArnEntry: KEY_ARN_ENTRY,
        ...(signal === undefined ? {} : { signal }),
        ...notedCalls(),
      });
      return { ...stored(wrapped), epoch, generation };
    } catch (error) {
      throw envelopeFailure(error);
    }
  }

  /**
   * Wraps under the key set in force that a row has not, by the fewest calls: of keys in `have` none is made. What
   * could not be made is in `missing`.
   *
   * @param sealing what is in force; the wraps may be stored at its epoch only
   * @param proof `opened`: each new wrap was opened by its own key
   * @throws VaultError `subject-key-tampered` when no wrap of the row opens to its key; `key-not-configured`,
   *   `regions-unavailable`, `deadline-exceeded`, `keyring-overloaded`, `aborted`, `encryption-failed`
   */
  async rewrap(
    row: KeyColumns,
    { keyring }: Pick<Sealing, "keyring">,
    { have, proof, signal }: RewrapWishes,
  ): Promise<Rewrapped> {
    const { vault, keySets } = this.#dependencies;
    const wraps = row.wraps.map(asDataKey);
    try {
      return await rewrapKey(wraps, {
        keyring,
        sources: keySets.forReading(() => wraps.map((wrap) => namedKey(wrap).key)),
        encryptionContext: keyContext(vault, row, row.createdAt),
        keyArnEntry: KEY_ARN_ENTRY,
        have,
        proof,
        accepts: (candidate) => isKeyOf(candidate, vault, row),
        ...(signal === undefined ? {} : { signal }),
        ...notedCalls(),
      });
    } catch (error) {
      throw openingFailure(error);
    }
  }

  /**
   * Opens a key by the first of its wraps that opens to it. The caller wipes it.
   *
   * @param row its kind, owner and version are those that were asked for
   * @throws VaultError `subject-key-tampered` when every region gave something else; `key-not-configured`,
   *   `regions-unavailable`, `deadline-exceeded`, `keyring-overloaded`
   */
  async open(row: KeyColumns): Promise<{ readonly key: SecretBytes } & Pick<UnwrappedKey, "refused">> {
    const { vault, keySets } = this.#dependencies;
    const wraps = row.wraps.map(asDataKey);
    const open = async (keyring: Keyring): Promise<UnwrappedKey> => {
      try {
        return await unwrapKey(wraps, {
          keyring,
          encryptionContext: keyContext(vault, row, row.createdAt),
          keyArnEntry: KEY_ARN_ENTRY,
          // A key that somebody planted has a check of its own, and passes it.
          secretKeysOnly: true,
          accepts: (candidate) => isKeyOf(candidate, vault, row),
          ...notedCalls(),
        });
      } catch (error) {
        throw openingFailure(error);
      }
    };
    const [first, ...others] = keySets.forReading(() => wraps.map((wrap) => namedKey(wrap).key));
    try {
      return await open(first);
    } catch (error) {
      return await openByOthers(others, open, openingFailure(error));
    }
  }

  /**
   * Takes wraps that were found wrong beside a right one out of a row, and notes them as owed. A key that opens is
   * given out whatever comes of this: the next one who opens it finds the same.
   *
   * @returns the wraps that are right; null: they all are
   */
  async owe(row: KeyRow, refused: readonly OpeningKey[]): Promise<WrapSet | null> {
    const { store, keySets, clock } = this.#dependencies;
    const wraps = withoutRefused(row.wraps, refused);
    if (wraps.length === 0 || wraps.length === row.wraps.length) return null;
    const before = row.wrapSet ?? wrapSetOf(row.wraps);
    const missing = refused.map(({ region, key }) => ({ region: region ?? "", keyArn: key, reason: "wrong-data-key" }));
    const known = new Set(missing.map(({ keyArn }) => keyArn));
    const wrapSet = {
      wraps: wraps.map((wrap) => wrapNamed(asDataKey(wrap))),
      target: before.target,
      missing: [...before.missing.filter(({ keyArn }) => !known.has(keyArn)), ...missing],
    };
    try {
      const { epoch } = await keySets.forWriting();
      const { kind, owner, version, stamp: seen } = row;
      const place = { kind, owner, version };
      const at = clock().toISOString();
      await store.inventory.rewrap({ place, seen, epoch, wraps, moved: null, wrapSet, at, lease: null });
    } catch {
      // Nothing is lost by it: the wrong wrap lies where it was, and is found again.
    }
    return wrapSet;
  }
}

/** The wraps that were not found wrong beside a right one. */
export function withoutRefused(wraps: readonly KeyWrap[], refused: readonly OpeningKey[]): readonly KeyWrap[] {
  const wrong = new Set(refused.map(({ providerId, key }) => `${providerId} ${key}`));
  return wraps.filter((wrap) => {
    const { providerId, key } = wrappingKeyOf(wrap);
    return !wrong.has(`${providerId} ${key}`);
  });
}

/** The wrapping key that a wrap names, and where it lives. */
export function wrappingKeyOf(wrap: KeyWrap): OpeningKey {
  return namedKey(asDataKey(wrap));
}

/** Which key is made, and in which shredding generation. */
export interface NewColumns {
  readonly name: KeyName;
  readonly ordinal: number;
  readonly generation: number;
}

/** The columns of a key that is made now, under a version of its own. */
export function newColumns(
  { clock }: Pick<KeyDependencies, "clock">,
  { name: { kind, owner }, ordinal, generation }: NewColumns,
): CheckedColumns {
  const version = randomUUID() as string as KeyVersion;
  return { kind, owner, version, ordinal, generation, createdAt: clock().toISOString() };
}

/** What a row's wraps say themselves, where the account of them is not to be read. */
export function wrapSetOf(wraps: readonly KeyWrap[]): NewKey["wrapSet"] {
  return { wraps: wraps.map((wrap) => wrapNamed(asDataKey(wrap))), target: wraps.length, missing: [] };
}

/** A key that no wrap opens to is not a message that was tampered with. */
function openingFailure(error: unknown): VaultError {
  if (!isEnvelopeError(error) || error.code !== "decryption-failed") return envelopeFailure(error);
  return keyTampered("No wrap of a stored key opens to the key that it was made as", error);
}

/** Wraps that were just made, as a row keeps them and its account of them. */
function stored({ wraps, report }: KeyWraps): Pick<NewKey, "wraps" | "wrapSet"> {
  const wrapSet = sealedWrapSet({ encryptedDataKeys: wraps, ...(report === null ? {} : { wraps: report }) });
  return { wraps: wraps.map(asKeyWrap), wrapSet };
}

/** A wrap as a row keeps it. */
export function asKeyWrap({ providerId, providerInfo, ciphertext }: EncryptedDataKey): KeyWrap {
  return { provider: providerId, info: providerInfo, ciphertext };
}

function asDataKey({ provider, info, ciphertext }: KeyWrap): EncryptedDataKey {
  return { providerId: provider, providerInfo: info, ciphertext };
}
