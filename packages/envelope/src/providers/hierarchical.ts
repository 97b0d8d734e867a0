/**
 * @strongroom/envelope/hierarchical: the hierarchical keyring (framework/aws-kms/aws-kms-hierarchical-keyring.md). Data
 * keys are wrapped, without any call, under branch keys that a key store keeps wrapped by a KMS.
 */
import type { SecretBytes } from "../crypto/secret.ts";
import type { RegionAttempt } from "../errors.ts";
import { EnvelopeError, isEnvelopeError, requireNotAborted, shown, shownList } from "../errors.ts";
import { asBuffer } from "../format/byte-reader.ts";
import type { EncryptedDataKey } from "../format/header.ts";
import { contextObject, contextOrders } from "../format/encryption-context.ts";
import type { CanonicalContext, EncryptionContext } from "../format/encryption-context.ts";
import {
  branchKeyUnwrap,
  branchKeyVersionOf,
  branchKeyWrap,
  HIERARCHY_PROVIDER,
  isBranchKeyVersion,
} from "../keyrings/branch-key-wrapping.ts";
import type { DecryptionMaterials, EncryptionMaterials, Keyring } from "../keyrings/keyring.ts";
import type { KeyOutcome } from "../keyrings/data-keys.ts";
import { unwrapDataKey, wrapDataKey } from "../keyrings/data-keys.ts";
import type { CacheCounts } from "../materials/materials-cache.ts";
import {
  FOR_EVER,
  having,
  milliseconds,
  needed,
  objectOf,
  option,
  readOptions,
  thatIs,
  wholeNumber,
} from "../options.ts";
import type { Reader, RowsFor } from "../options.ts";
import { idleTime, timeOption } from "../resilience/time.ts";
import type { Time } from "../resilience/time.ts";
import { BranchKeyCache, requireSound } from "./hierarchical/branch-key-cache.ts";
import type { BranchKey, BranchKeyStore } from "./hierarchical/branch-key-store.ts";

export { BranchKeyCache } from "./hierarchical/branch-key-cache.ts";
export type { BranchKeyCacheOptions, BranchKeyRequest, FetchBranchKey } from "./hierarchical/branch-key-cache.ts";
export type { BranchKey, BranchKeyStore } from "./hierarchical/branch-key-store.ts";
export type { CacheCounts } from "../materials/materials-cache.ts";
export type { Time } from "../resilience/time.ts";

/** Which branch key belongs to a message, by its context ("Branch Key Supplier"). */
export type BranchKeySupplier = (encryptionContext: EncryptionContext) => string;

export interface HierarchicalKeyringOptions {
  readonly keyStore: BranchKeyStore;
  /** One branch key for all messages, or one for each tenant or person. */
  readonly branchKeyId: string | BranchKeySupplier;
  /**
   * Milliseconds that a branch key may be used before the key store is asked again. No default: it is how long a
   * revoked one goes on working.
   */
  readonly maxAgeMs: number;
  /** Messages that a branch key seals or opens before the key store is asked again; no bound when left out. */
  readonly maxUses?: number;
  /** Branch keys held at once; the active version of each counts once more. */
  readonly capacity?: number;
  /** The clock, for tests. */
  readonly time?: Time;
}

export const HIERARCHICAL_DEFAULTS: { readonly capacity: number } = { capacity: 1_000 };

export interface HierarchicalKeyring extends Keyring, Disposable {
  /** Wipes what is held of a branch key: after it was rotated, revoked or erased. The key store is asked again. */
  forget(branchKeyId: string): void;
  /** How often the cache helped since the keyring was made. */
  counts(): CacheCounts;
  /** Branch keys held now. */
  readonly size: number;
  /** Wipes every branch key; the keyring cannot be used afterwards. */
  [Symbol.dispose](): void;
}

/**
 * @throws EnvelopeError `option-invalid`, with every problem listed
 *
 * @example
 * ```ts
 * import { randomBytes, randomUUID } from "node:crypto";
 * import { decrypt, encrypt } from "@strongroom/envelope";
 * import { hierarchicalKeyring } from "@strongroom/envelope/hierarchical";
 * import { SecretBytes } from "@strongroom/envelope/keyrings";
 *
 * // In earnest: keys that a database keeps, wrapped by a KMS.
 * const [version, bytes] = [randomUUID(), randomBytes(32)];
 * const branchKey = async () => ({ version, key: SecretBytes.copyOf(bytes) });
 *
 * using keyring = hierarchicalKeyring({
 *   keyStore: { getActiveBranchKey: branchKey, getBranchKeyVersion: branchKey },
 *   branchKeyId: ({ tenant }) => `tenant-${tenant}`,
 *   maxAgeMs: 300_000,
 * });
 * const encryptionContext = { tenant: "7", id: "42" };
 * const { message } = await encrypt(Buffer.from("Ada"), { keyring, encryptionContext });
 * const { plaintext } = await decrypt(message, { keyring, encryptionContext });
 * console.log(Buffer.from(plaintext).toString()); // prints: Ada
 * ```
 */
export function hierarchicalKeyring(options: HierarchicalKeyringOptions): HierarchicalKeyring {
  const { keyStore, branchKeyId, ...bounds } = readOptions(readHierarchical, options);
  const cache = new BranchKeyCache({ store: keyStore, ...bounds });
  return {
    ...cachedBranchKeyring(cache, branchKeyId),
    forget: (id) => {
      cache.forget(id);
    },
    counts: () => cache.counts(),
    get size() {
      return cache.size;
    },
    [Symbol.dispose]: () => {
      cache.close();
    },
  };
}

/**
 * The keyring over a cache of branch keys that others use too. Whoever made the cache closes it.
 *
 * @param branchKeyId as in {@link HierarchicalKeyringOptions}
 * @example
 * ```ts
 * import { randomUUID } from "node:crypto";
 * import { decrypt, encrypt } from "@strongroom/envelope";
 * import { BranchKeyCache, cachedBranchKeyring } from "@strongroom/envelope/hierarchical";
 * import { randomSecret } from "@strongroom/envelope/keyrings";
 *
 * // In earnest: keys that a database keeps, wrapped by a KMS.
 * const [version, key] = [randomUUID(), randomSecret(32)];
 * const fetch = async () => ({ version, key: key.share() });
 * const store = { getActiveBranchKey: fetch, getBranchKeyVersion: fetch };
 * const cache = new BranchKeyCache({ store, maxAgeMs: 300_000, capacity: 1_000 });
 *
 * const keyring = cachedBranchKeyring(cache, "customer-42");
 * const encryptionContext = { id: "42" };
 * const { message } = await encrypt(Buffer.from("Ada"), { keyring, encryptionContext });
 * const { plaintext } = await decrypt(message, { keyring, encryptionContext });
 * console.log(Buffer.from(plaintext).toString(), cache.counts().misses); // prints: Ada 1
 * cache.close();
 * key.wipe();
 * ```
 */
export function cachedBranchKeyring(cache: BranchKeyCache, branchKeyId: string | BranchKeySupplier): Keyring {
  return {
    async onEncrypt(materials, { signal }) {
      requireNotAborted(signal);
      const id = idFor(branchKeyId, materials.encryptionContext);
      const active = await cache.get({ branchKeyId: id, version: null }, signal).catch((error: unknown) => {
        throw storeFailure(error, id);
      });
      if (active === null)
        throw new EnvelopeError("branch-key-unavailable", `The key store has no branch key ${shown(id)}`);
      using key = active.key;
      return await wrapWith({ ...active, key }, id, materials);
    },

    async onDecrypt(materials, encryptedDataKeys, call) {
      const id = idFor(branchKeyId, materials.encryptionContext);
      const providerInfo = Buffer.from(id, "utf8");
      const storeErrors: EnvelopeError[] = [];

      async function unwrap(key: EncryptedDataKey): Promise<SecretBytes | KeyOutcome> {
        const version = branchKeyVersionOf(key.ciphertext, materials.suite.keyLength);
        if (!isBranchKeyVersion(version)) return "does-not-open";
        try {
          const found = await cache.get({ branchKeyId: id, version }, call.signal);
          if (found === null) return "key-not-found";
          using branchKey = found.key;
          return open(key, id, branchKey, materials) ?? "does-not-open";
        } catch (error) {
          requireNotAborted(call.signal);
          storeErrors.push(storeFailure(error, id));
          return "key-store-failed";
        }
      }

      return unwrapDataKey(materials, encryptedDataKeys, call, {
        isOurs: (key) => key.providerId === HIERARCHY_PROVIDER && asBuffer(key.providerInfo).equals(providerInfo),
        unwrap,
        notAccepted: "does-not-open",
        failure: (unopened) => withoutBranchKey(unopened, storeErrors),
      });
    },
  };
}

/**
 * A keyring that seals under a branch key which is at hand, without asking anybody. It does not open.
 *
 * @param branchKey its key stays the caller's, who wipes it when nothing more is sealed
 * @example
 * ```ts
 * import { randomBytes, randomUUID } from "node:crypto";
 * import { encrypt, inspect } from "@strongroom/envelope";
 * import { branchKeySealing } from "@strongroom/envelope/hierarchical";
 * import { SecretBytes } from "@strongroom/envelope/keyrings";
 *
 * using key = new SecretBytes(randomBytes(32));
 * const keyring = branchKeySealing("customer-42", { version: randomUUID(), key });
 * const { message } = await encrypt(Buffer.from("Ada"), { keyring, encryptionContext: { id: "42" } });
 * console.log(inspect(message).encryptedDataKeys[0]?.providerId); // prints: aws-kms-hierarchy
 * ```
 */
export function branchKeySealing(branchKeyId: string, branchKey: BranchKey): Keyring {
  if (!isBranchKeyId(branchKeyId)) throw new EnvelopeError("option-invalid", "branchKeyId must be a non-empty string");
  requireSound(branchKey, null);
  return {
    async onEncrypt(materials, { signal }) {
      requireNotAborted(signal);
      return await wrapWith(branchKey, branchKeyId, materials);
    },
    onDecrypt: () =>
      Promise.reject(
        new EnvelopeError("keyring-unsuitable", "This keyring seals under one branch key and opens nothing"),
      ),
  };
}

function wrapWith(
  { version, key: branchKey }: BranchKey,
  branchKeyId: string,
  materials: EncryptionMaterials,
): Promise<EncryptionMaterials> {
  const { bytes: context } = materials.encryptionContext;
  return wrapDataKey(materials, (dataKey) => ({
    providerId: HIERARCHY_PROVIDER,
    providerInfo: Buffer.from(branchKeyId, "utf8"),
    ciphertext: branchKeyWrap(dataKey, version, { branchKeyId, branchKey, context }),
  }));
}

function open(
  { ciphertext }: EncryptedDataKey,
  branchKeyId: string,
  branchKey: SecretBytes,
  { encryptionContext }: DecryptionMaterials,
): SecretBytes | null {
  for (const context of contextOrders(encryptionContext)) {
    const opened = branchKeyUnwrap(ciphertext, { branchKeyId, branchKey, context });
    if (opened !== null) return opened;
  }
  return null;
}

function idFor(branchKeyId: string | BranchKeySupplier, context: CanonicalContext): string {
  if (typeof branchKeyId === "string") return branchKeyId;
  let supplied: unknown;
  try {
    supplied = branchKeyId(contextObject(context));
  } catch (cause) {
    throw new EnvelopeError(
      "branch-key-unavailable",
      "branchKeyId could not name a branch key for this encryption context",
      { cause },
    );
  }
  if (isBranchKeyId(supplied)) return supplied;
  throw new EnvelopeError(
    "branch-key-unavailable",
    "branchKeyId did not answer with the id of a branch key for this encryption context",
  );
}

/** A key store that fails through a keyring of this library says more by its own code. */
function storeFailure(error: unknown, branchKeyId: string): EnvelopeError {
  if (isEnvelopeError(error)) return error;
  return new EnvelopeError("branch-key-unavailable", `The key store failed for branch key ${shown(branchKeyId)}`, {
    cause: error,
  });
}

/** "Does not open" is only true of a branch key that was at hand. */
function withoutBranchKey(unopened: EnvelopeError, storeErrors: readonly EnvelopeError[]): EnvelopeError {
  const [first] = storeErrors;
  const reports = unopened.encryptedDataKeys ?? [];
  if (first === undefined && reports.every(({ outcome }) => outcome !== "key-not-found")) return unopened;
  const attempts: readonly RegionAttempt[] = storeErrors.flatMap((error) => error.attempts ?? []);
  const outcomes = shownList(reports.map(({ key, outcome }) => `${key}: ${outcome}`));
  return new EnvelopeError(
    first?.code ?? "branch-key-unavailable",
    `The message's branch key could not be had. ${first?.message ?? ""} (${outcomes})`,
    {
      encryptedDataKeys: reports,
      ...(first === undefined ? {} : { cause: first.cause ?? first }),
      ...(attempts.length === 0 ? {} : { attempts }),
    },
  );
}

const branchKeyIdOption: Reader<string | BranchKeySupplier> = (value, name, problems) => {
  if (typeof value === "function") return value as BranchKeySupplier;
  return thatIs(isBranchKeyId, "a non-empty string, or a function of the encryption context")(value, name, problems);
};

function isBranchKeyId(value: unknown): value is string {
  return typeof value === "string" && value !== "" && value.isWellFormed();
}

const readHierarchical = objectOf({
  keyStore: needed(having<BranchKeyStore>("a branch key store", "getActiveBranchKey", "getBranchKeyVersion")),
  branchKeyId: needed(branchKeyIdOption),
  maxAgeMs: needed(milliseconds(FOR_EVER)),
  maxUses: option(wholeNumber(1, Number.MAX_SAFE_INTEGER)),
  capacity: option(wholeNumber(1, Number.MAX_SAFE_INTEGER), HIERARCHICAL_DEFAULTS.capacity),
  time: option(timeOption, idleTime),
} satisfies RowsFor<HierarchicalKeyringOptions>);
