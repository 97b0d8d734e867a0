/**
 * Where a rewrapping has its key from: the regions of the keyrings that made the wraps, all in one read as if they were
 * one keyring's, so that a source that is lost costs a try and not the time of all; and keyrings of other kinds.
 */
import type { SecretBytes } from "../crypto/secret.ts";
import { EnvelopeError } from "../errors.ts";
import type { EncryptedDataKey } from "../format/header.ts";
import type { Keyring, KeyringCall, Rewrapped, Rewrapping } from "../keyrings/keyring.ts";
import { openBySources } from "../keyrings/kept-keys.ts";
import { readDataKey } from "./read.ts";
import type { ReadRequest } from "./read.ts";
import type { Region } from "./region.ts";
import { Rewrapper } from "./rewrap.ts";
import type { RewrapWork } from "./rewrap.ts";

const REGIONS = new WeakMap<Keyring, readonly Region[]>();

/** Lets other keyrings re-encrypt what this one has wrapped. */
export function asSource(keyring: Keyring, regions: readonly Region[]): void {
  REGIONS.set(keyring, regions);
}

/** Whether one of these regions re-encrypts to its own key what a source has wrapped under one of its names. */
export function reEncrypts(regions: readonly Region[], source: Keyring, from: string, to: string): boolean {
  const target = regions.find(({ key }) => key.keyId === to)?.key;
  if (target === undefined) return false;
  const wrap = { providerId: target.providerId, providerInfo: Buffer.from(from), ciphertext: Buffer.alloc(0) };
  return (REGIONS.get(source) ?? []).some(({ key }) => target.canReEncrypt(key) && key.matches(wrap) !== null);
}

/** What the keyring that wraps does it with. */
export interface RewrapMeans
  extends
    Omit<RewrapWork, keyof Rewrapping | "context" | "keyArnEntry" | "onCall" | "open">,
    Pick<ReadRequest, "hedging" | "keyLength"> {}

/** @throws EnvelopeError as Keyring.onRewrap does */
export async function rewrapKept(means: RewrapMeans, request: Rewrapping, call: KeyringCall): Promise<Rewrapped> {
  const { deadline, regions } = means;
  const sources = sourceRegions(request.sources, regions);
  const rewrapper = new Rewrapper({
    ...means,
    ...request,
    keyArnEntry: call.keyArnEntry,
    onCall: call.onCall,
    context: Object.fromEntries(request.encryptionContext.pairs),
    sources,
    open: (wraps, by) =>
      by === "new"
        ? read(means, regions, request, wraps, call)
        : openBySourcesIn(means, sources, { ...request, wraps }, call),
  });
  await deadline.guard(rewrapper);
  return rewrapper.outcome();
}

/**
 * Of all keyrings whose regions are known, each once. Where the keyring that wraps has the same key by the same client,
 * its own region is taken: what is known of it is of more calls.
 */
function sourceRegions(sources: readonly Keyring[], own: readonly Region[]): readonly Region[] {
  const same = (one: Region, other: Region): boolean =>
    one.key.keyId === other.key.keyId && one.key.canReEncrypt(other.key);
  const all: Region[] = [];
  for (const region of sources.flatMap((source) => REGIONS.get(source) ?? [])) {
    const known = own.find((each) => each === region || same(each, region)) ?? region;
    if (!all.some((each) => each === known || same(each, known))) all.push(known);
  }
  return all;
}

async function read(
  means: RewrapMeans,
  regions: readonly Region[],
  { encryptionContext, accepts }: Pick<Rewrapping, "encryptionContext" | "accepts">,
  encryptedDataKeys: readonly EncryptedDataKey[],
  { keyArnEntry, onCall }: KeyringCall,
): Promise<SecretBytes> {
  const context = Object.fromEntries(encryptionContext.pairs);
  return (await readDataKey({ ...means, regions, encryptedDataKeys, context, keyArnEntry, accepts, onCall })).dataKey;
}

/** In the order of the sources, the regions in the place of the first that has any. */
async function openBySourcesIn(
  means: RewrapMeans,
  regions: readonly Region[],
  request: Rewrapping,
  call: KeyringCall,
): Promise<SecretBytes> {
  const inRegions: Keyring = {
    onEncrypt: () => Promise.reject(new EnvelopeError("keyring-unsuitable", "These regions only open")),
    onDecrypt: async (materials, wraps) => ({
      ...materials,
      dataKey: await read(means, regions, materials, wraps, call),
    }),
  };
  const sources = new Set(request.sources.map((source) => (REGIONS.has(source) ? inRegions : source)));
  // The deadline is this keyring's: the others may have more time.
  const controller = new AbortController();
  return await means.deadline.guard({
    result: openBySources({ ...request, sources: [...sources] }, { ...call, signal: controller.signal }),
    stop: () => {
      controller.abort();
    },
  });
}
