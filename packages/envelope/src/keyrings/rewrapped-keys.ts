/**
 * Wraps for a key that is kept wrapped elsewhere: under another keyring, or under another material of the same wrapping
 * keys. A keyring that can turn one wrap into another does so itself (`Keyring.onRewrap`); for any other the key is
 * opened once, and wrapped.
 */
import type { SecretBytes } from "../crypto/secret.ts";
import { isEnvelopeError, requireNotAborted } from "../errors.ts";
import type { RegionFailureKind } from "../errors.ts";
import type { EncryptedDataKey } from "../format/header.ts";
import { listOf, needed, nonEmpty, objectOf, oneOf, option, readOptions, text } from "../options.ts";
import type { Reader, RowsFor } from "../options.ts";
import { namedKey } from "./data-keys.ts";
import { openBySources, reasonOf } from "./kept-keys.ts";
import { keyringOption } from "./keyring.ts";
import type { Keyring, KeyringCall, MadeWrap, Rewrapped, Rewrapping } from "./keyring.ts";
import { accepting, checked, wrapKey, WRAPPING_ROWS } from "./wrapped-keys.ts";
import type { WrappingOptions } from "./wrapped-keys.ts";

/** How a key is wrapped anew. `keyring` is the one that it is to have wraps under. */
export interface RewrappingOptions extends WrappingOptions {
  /** The keyrings whose wrapping keys made the wraps that there are, the likeliest first. */
  readonly sources: readonly Keyring[];
  /** Names of wrapping keys of `keyring` that have a right wrap already; none when left out. */
  readonly have?: readonly string[];
  /**
   * `opened` (when left out): each new wrap is opened by its own key, and `accepts` asked, before it is given.
   * `policy`: those that the keyring would prove in a write. `none`: no wrap is opened, and a wrong one is found by
   * whoever reads it.
   */
  readonly proof?: Rewrapping["proof"];
  /** Tells the right key. */
  readonly accepts: (candidate: Uint8Array) => boolean;
}

/**
 * Wraps under a keyring's wrapping keys of a key that is kept wrapped, by the fewest calls: inside a KMS where that can
 * turn one wrap into another, so that the key does not leave it; otherwise it is opened once, and wiped. A wrap that
 * could not be made throws nothing: it is `missing`, with the reason. `aws-kms-rsa` and other public keys open nothing
 * here, since anybody could have wrapped a key of his own under them.
 *
 * @throws EnvelopeError `option-invalid`; what opening throws where nothing was made and the key had to be opened;
 *   `deadline-exceeded`, `keyring-overloaded`, `aborted`, and what a keyring's onEncrypt throws that is no failed call
 * @example
 * ```ts
 * import { randomBytes } from "node:crypto";
 * import { rawAesKeyring } from "@strongroom/envelope";
 * import { keyedHash, makeKey, rewrapKey } from "@strongroom/envelope/keyrings";
 *
 * const make = (keyName: string) => rawAesKeyring({ keyNamespace: "my-app", keyName, wrappingKey: randomBytes(32) });
 * const [old, next] = [make("2026-01"), make("2027-01")];
 * const encryptionContext = { purpose: "backups" };
 * const { key, wraps } = await makeKey({ keyring: old, encryptionContext });
 * const check = keyedHash(key, Buffer.from("check"));
 * key.wipe();
 *
 * const accepts = (candidate: Uint8Array) => keyedHash(candidate, Buffer.from("check")).equals(check);
 * const { made, missing } = await rewrapKey(wraps, { keyring: next, sources: [old], encryptionContext, accepts });
 * console.log(made.map(({ key, isProven }) => `${key} ${isProven}`).join(), missing.length); // prints: 2027-01 true 0
 * ```
 */
export async function rewrapKey(wraps: readonly EncryptedDataKey[], options: RewrappingOptions): Promise<Rewrapped> {
  const { sources, have, proof, accepts, ...values } = readOptions(readRewrapping, options);
  const { keyring, encryptionContext, call } = checked(values);
  requireNotAborted(call.signal);
  const request: Rewrapping = { wraps, sources, encryptionContext, have, proof, accepts };
  if (keyring.onRewrap !== undefined) return await keyring.onRewrap(request, call);
  const { target } = keyring;
  if (target !== undefined && have.length >= target) return { made: [], target, missing: [] };
  using key = await openBySources(request, call);
  return await wrapOpened(key, request, { ...options, keyring }, call);
}

type Missing = Rewrapped["missing"][number];

/** By a keyring that knows of no other way. It wraps under all of its keys: what is there already is left out. */
async function wrapOpened(
  key: SecretBytes,
  request: Rewrapping,
  { keyring, encryptionContext, keyArnEntry, signal, onCall }: WrappingOptions,
  call: KeyringCall,
): Promise<Rewrapped> {
  const { have, proof } = request;
  const named = { ...(keyArnEntry !== undefined && { keyArnEntry }), ...(onCall !== undefined && { onCall }) };
  const options = { keyring, encryptionContext, ...named, ...(signal !== undefined && { signal }) };
  const failed: Missing[] = [];
  const { wraps, report } = await wrapKey(key, options).catch((error: unknown) => {
    for (const each of failedCalls(error)) failed.push(each);
    return { wraps: [], report: null };
  });
  const made: MadeWrap[] = [];
  for (const wrap of wraps) {
    const { key: name, region } = namedKey(wrap);
    if (have.includes(name)) continue;
    const reason = proof === "opened" ? await refusal(keyring, wrap, request, call) : null;
    if (reason !== null) failed.push({ region: region ?? "", keyArn: name, reason });
    else made.push({ wrap, key: name, material: null, isProven: proof === "opened" });
  }
  const missing = [...(report?.missing ?? []), ...failed];
  const target = report?.target ?? keyring.target ?? Math.max(wraps.length, failed.length, have.length);
  return { made, target, missing: made.length + have.length >= target ? [] : missing };
}

/** The calls that a wrapping failed by. @throws what is not a call's failure */
function failedCalls(error: unknown): readonly Missing[] {
  const attempts = isEnvelopeError(error) && CALLS_FAILED.has(error.code) ? (error.attempts ?? []) : [];
  if (attempts.length === 0) throw error;
  return attempts.map(({ region, keyArn, reason }) => ({ region, keyArn, reason }));
}

const CALLS_FAILED: ReadonlySet<string> = new Set(["wrap-failed", "wraps-below-minimum", "regions-unavailable"]);

/** Why a new wrap is not taken: it does not open, or to another key. @throws EnvelopeError `aborted` */
async function refusal(
  keyring: Keyring,
  wrap: EncryptedDataKey,
  request: Rewrapping,
  call: KeyringCall,
): Promise<RegionFailureKind | null> {
  try {
    (await openBySources({ ...request, sources: [keyring], wraps: [wrap] }, call)).wipe();
    return null;
  } catch (error) {
    requireNotAborted(call.signal);
    return reasonOf(error, "wrap-does-not-open");
  }
}

const wrapsOpenedBefore: Reader<Rewrapping["proof"]> = oneOf(["opened", "policy", "none"]);

const readRewrapping = objectOf({
  ...WRAPPING_ROWS,
  sources: needed(nonEmpty(listOf(keyringOption))),
  have: option(listOf(text), []),
  proof: option(wrapsOpenedBefore, "opened"),
  accepts: needed(accepting),
} satisfies RowsFor<RewrappingOptions>);
