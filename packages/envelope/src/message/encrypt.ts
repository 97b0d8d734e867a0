/**
 * Encrypts bytes into one message (client-apis/encrypt.md).
 */
import { copyOfBytes, wipeCopy } from "../crypto/secret.ts";
import { messageSigner } from "../crypto/signature.ts";
import type { SigningKey } from "../crypto/signature.ts";
import { EnvelopeError, requireNotAborted } from "../errors.ts";
import { footerBytes, frameCount, framedBodyLength, MAX_FRAMES, REGULAR_FRAME_OVERHEAD } from "../format/body.ts";
import type { EncryptionContext } from "../format/encryption-context.ts";
import type { EncryptedDataKey } from "../format/header.ts";
import { enforceLimit } from "../format/suites.ts";
import type { CompleteEncryptionMaterials, WrapReport } from "../keyrings/keyring.ts";
import type { CommitmentPolicy, DefaultPolicy } from "../materials/materials-manager.ts";
import { isShared, requireBytes } from "../options.ts";
import { resolveEncryptOptions } from "./options.ts";
import type { EncryptOptionsUnder, FrameWorkers, ResolvedEncryptOptions } from "./options.ts";
import { MessageSealer } from "./sealing.ts";

export interface EncryptResult {
  /** Header, body and, for signed suites, footer. */
  readonly message: Uint8Array;
  /** The caller's context, as it was when encrypt was called: what decrypt must be given. Frozen. */
  readonly encryptionContext: EncryptionContext;
  /** Under a cached data key they are frozen, and each reading of their bytes gives a copy. */
  readonly encryptedDataKeys: readonly EncryptedDataKey[];
  /** Which regions hold a wrap, for keyrings that report it. */
  readonly wraps?: WrapReport;
}

/**
 * Encrypts `plaintext` under a data key of its own (or a cached one, with a materials cache).
 *
 * @throws EnvelopeError `option-invalid`, `limit-exceeded`, `commitment-policy`, `aborted`, and what the keyring
 *   throws.
 *
 * @example
 * ```ts
 * import { randomBytes } from "node:crypto";
 * import { encrypt, inspect, rawAesKeyring } from "@strongroom/envelope";
 *
 * const keyring = rawAesKeyring({ keyNamespace: "my-app", keyName: "2026-01", wrappingKey: randomBytes(32) });
 * const { message } = await encrypt(Buffer.from("Ada Lovelace"), {
 *   keyring,
 *   encryptionContext: { collection: "customers", id: "42" },
 * });
 * console.log(inspect(message).encryptedDataKeys.length); // prints: 1
 * ```
 */
export async function encrypt<Policy extends CommitmentPolicy = DefaultPolicy>(
  plaintext: Uint8Array,
  options: EncryptOptionsUnder<Policy>,
): Promise<EncryptResult> {
  const given = requireBytes(plaintext, "plaintext");
  const resolved = resolveEncryptOptions(options);
  const { suite, limits, signal, onCall, frameLength, workers } = resolved;
  enforceLimit(limits, "plaintextBytes", given.length);
  if (frameCount(given.length, frameLength) > MAX_FRAMES) {
    throw new EnvelopeError("limit-exceeded", `A frameLength of ${frameLength} makes more than ${MAX_FRAMES} frames`);
  }
  requireNotAborted(signal);
  const request = {
    suite,
    commitmentPolicy: resolved.commitmentPolicy,
    encryptionContext: resolved.context,
    requiredContextKeys: resolved.requiredContextKeys,
    plaintextLength: given.length,
  };
  const way = { resolved, inParallel: workers?.takes(given.length, frameLength) === true };
  // Sealed before anything is awaited: the caller's memory cannot change.
  const atHand = way.inParallel || isShared(given) ? null : (resolved.manager.encryptionAtHand?.(request) ?? null);
  if (atHand !== null) return sealWith(given, atHand, way);

  // Before the first await: from then on it may.
  const taken = copyOfBytes(given);
  try {
    return await sealWith(taken, await resolved.manager.getEncryptionMaterials(request, { signal, onCall }), way);
  } finally {
    wipeCopy(taken);
  }
}

interface Way {
  readonly resolved: ResolvedEncryptOptions;
  readonly inParallel: boolean;
}

/** Awaits nothing unless it is in parallel. The data key is wiped. */
async function sealWith(
  plaintext: Uint8Array,
  materials: CompleteEncryptionMaterials,
  { resolved: { frameLength, limits, workers, signal, context }, inParallel }: Way,
): Promise<EncryptResult> {
  try {
    const sealer = new MessageSealer(materials, frameLength, limits);
    const message =
      inParallel && workers !== undefined
        ? await sealInParallel(plaintext, sealer, { frameLength, workers, signal })
        : sealHere(plaintext, sealer, frameLength);
    sealer.writeHeader(message);
    const result = {
      message: materials.signingKey === null ? message : withSignature(message, materials.signingKey),
      encryptionContext: context.given,
      encryptedDataKeys: materials.encryptedDataKeys,
    };
    return materials.wraps === undefined ? result : { ...result, wraps: materials.wraps };
  } finally {
    materials.dataKey.wipe();
  }
}

function withSignature(message: Buffer, signingKey: SigningKey): Buffer {
  const signer = messageSigner(signingKey);
  signer.update(message);
  return Buffer.concat([message, footerBytes(signer.sign())]);
}

/** Header left blank, body written. */
function sealHere(plaintext: Uint8Array, sealer: MessageSealer, frameLength: number): Buffer {
  const message = Buffer.allocUnsafe(sealer.headerLength + framedBodyLength(plaintext.length, frameLength));
  sealFrames(plaintext, sealer, message, { frameLength, from: 1 });
  return message;
}

interface ParallelSealing {
  readonly frameLength: number;
  readonly workers: FrameWorkers;
  readonly signal: AbortSignal | undefined;
}

/** The same by the worker threads; the final frame is sealed here. */
async function sealInParallel(
  plaintext: Uint8Array,
  sealer: MessageSealer,
  { frameLength, workers, signal }: ParallelSealing,
): Promise<Buffer> {
  const { headerLength, frameKey } = sealer;
  const message = Buffer.allocUnsafeSlow(headerLength + framedBodyLength(plaintext.length, frameLength));
  const frames = frameCount(plaintext.length, frameLength) - 1;
  await workers.run(
    {
      kind: "seal",
      frameKey,
      frameLength,
      frames,
      input: plaintext,
      inputOffset: 0,
      output: message,
      outputOffset: headerLength,
    },
    signal,
  );
  sealFrames(plaintext, sealer, message, { frameLength, from: frames + 1 });
  return message;
}

/** Writes the frames from sequence number `from` to the last. */
function sealFrames(
  plaintext: Uint8Array,
  sealer: MessageSealer,
  message: Buffer,
  { frameLength, from }: { readonly frameLength: number; readonly from: number },
): void {
  const frames = frameCount(plaintext.length, frameLength);
  let offset = sealer.headerLength + (from - 1) * (frameLength + REGULAR_FRAME_OVERHEAD);
  for (let sequence = from; sequence <= frames; sequence++) {
    const content = plaintext.subarray((sequence - 1) * frameLength, sequence * frameLength);
    offset = sealer.frames.sealFrame(message, offset, sequence === frames ? "final" : "regular", sequence, content);
  }
}
