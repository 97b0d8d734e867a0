/**
 * @strongroom/envelope/multi-keyring: several keyrings as one (framework/multi-keyring.md). Each wraps the same data
 *   key; any one of them opens the message.
 */
import { EnvelopeError, isEnvelopeError, requireNotAborted } from "../errors.ts";
import type { EnvelopeErrorCode } from "../error-table.ts";
import type { EncryptedDataKeyReport } from "../errors.ts";
import { requireNoDataKey, unopenedErrorFromReports, weightiest } from "./data-keys.ts";
import { listOf, objectOf, option, readOptions } from "../options.ts";
import type { RowsFor } from "../options.ts";
import { keyringOption } from "./keyring.ts";
import type { EncryptionMaterials, Keyring, KeyringCall, WrapReport } from "./keyring.ts";

export interface MultiKeyringOptions {
  /** Makes the data key and wraps it first. Without one the multi-keyring cannot encrypt on its own, only decrypt. */
  readonly generator?: Keyring;
  /** Wrap the data key in this order; asked in this order, after the generator, to open a message. */
  readonly children?: readonly Keyring[];
}

/**
 * Several keyrings as one: each wraps the same data key, and any one of them opens the message.
 *
 * @throws EnvelopeError `option-invalid`
 *
 * @example
 * ```ts
 * import { randomBytes } from "node:crypto";
 * import { decrypt, encrypt, rawAesKeyring } from "@strongroom/envelope";
 * import { multiKeyring } from "@strongroom/envelope/multi-keyring";
 *
 * const make = (keyName: string) => rawAesKeyring({ keyNamespace: "my-app", keyName, wrappingKey: randomBytes(32) });
 * const [office, vault] = [make("office"), make("vault")];
 *
 * const both = multiKeyring({ generator: office, children: [vault] });
 * const { message, encryptedDataKeys } = await encrypt(Buffer.from("hello"), { keyring: both, encryptionContext: {} });
 * const { plaintext } = await decrypt(message, { keyring: vault, encryptionContext: {} });
 * console.log(encryptedDataKeys.length, Buffer.from(plaintext).toString()); // prints: 2 hello
 * ```
 */
export function multiKeyring(options: MultiKeyringOptions): Keyring {
  const { generator, children } = resolveOptions(options);
  const all = generator === null ? children : [generator, ...children];

  return {
    async onEncrypt(materials, call) {
      if (generator !== null && materials.dataKey !== null) {
        throw new EnvelopeError(
          "keyring-unsuitable",
          "The multi-keyring's generator was given a data key that exists already",
        );
      }
      if (generator === null && materials.dataKey === null) {
        throw new EnvelopeError(
          "keyring-unsuitable",
          "A multi-keyring without a generator cannot make a data key: give it one to encrypt",
        );
      }
      let wrapped = materials;
      try {
        for (const keyring of all) wrapped = await wrapWith(keyring, wrapped, call);
      } catch (error) {
        if (materials.dataKey === null) wrapped.dataKey?.wipe();
        throw error;
      }
      return wrapped;
    },

    async onDecrypt(materials, encryptedDataKeys, call) {
      requireNoDataKey(materials);
      const errors: unknown[] = [];
      for (const keyring of all) {
        requireNotAborted(call.signal);
        try {
          const opened = await keyring.onDecrypt(materials, encryptedDataKeys, call);
          if (opened.dataKey !== null) return opened;
        } catch (error) {
          requireNotAborted(call.signal);
          errors.push(error);
        }
      }
      throw failureOfAll(errors);
    },
  };
}

async function wrapWith(
  keyring: Keyring,
  materials: EncryptionMaterials,
  call: KeyringCall,
): Promise<EncryptionMaterials> {
  requireNotAborted(call.signal);
  const { wraps: before, ...unreported } = materials;
  const wrapped = await keyring.onEncrypt(unreported, call);
  if (wrapped.dataKey === null)
    throw new EnvelopeError("wrap-failed", "The generator of the multi-keyring made no data key");
  const wraps = addReports(before, wrapped.wraps);
  return wraps === undefined ? wrapped : { ...wrapped, wraps };
}

/** One keyring's missing wraps must not disappear behind the next one's report. */
function addReports(first: WrapReport | undefined, second: WrapReport | undefined): WrapReport | undefined {
  if (first === undefined || second === undefined) return first ?? second;
  return {
    target: first.target + second.target,
    minimum: first.minimum + second.minimum,
    stored: [...first.stored, ...second.stored],
    missing: [...first.missing, ...second.missing],
  };
}

/**
 * One error out of all: what became of each encrypted data key, by whichever keyring had its key, and every attempt.
 * Keyrings that only encrypt had no part in it, unless there were no others.
 */
function failureOfAll(errors: readonly unknown[]): EnvelopeError {
  const relevant = errors.filter((error) => !(isEnvelopeError(error) && error.code === "keyring-unsuitable"));
  const [only = errors[0], ...others] = relevant;
  if (others.length === 0 && isEnvelopeError(only)) return only;

  const known = relevant.filter(isEnvelopeError);
  const reports = mergeReports(
    known.flatMap(({ encryptedDataKeys }) => (encryptedDataKeys === undefined ? [] : [encryptedDataKeys])),
  );
  const attempts = known.flatMap((error) => error.attempts ?? []);
  const unopened = unopenedErrorFromReports(reports);
  const special = known.find(({ code }) => !REPORTED.has(code));
  const foreign =
    relevant.length > known.length ? " A keyring failed with an error of its own, which is in the cause." : "";
  return new EnvelopeError(special?.code ?? unopened.code, `${special?.message ?? unopened.message}${foreign}`, {
    cause: new AggregateError(relevant, "What each keyring said"),
    encryptedDataKeys: reports,
    ...(attempts.length === 0 ? {} : { attempts }),
  });
}

/** Codes that follow from the reports. Any other, such as an exceeded deadline, says more than they do. */
const REPORTED: ReadonlySet<EnvelopeErrorCode> = new Set<EnvelopeErrorCode>([
  "no-matching-key",
  "decryption-failed",
  "regions-unavailable",
]);

/** Reports list a message's keys in its order, so they are merged place by place. */
function mergeReports(lists: readonly (readonly EncryptedDataKeyReport[])[]): readonly EncryptedDataKeyReport[] {
  const [first = [], ...rest] = lists;
  return first.map((report, index) => {
    const outcomes = rest.map((list) => list[index]?.outcome ?? "not-configured");
    return { ...report, outcome: weightiest([report.outcome, ...outcomes]) };
  });
}

const readMultiKeyring = objectOf({
  generator: option(keyringOption),
  children: option(listOf(keyringOption), []),
} satisfies RowsFor<MultiKeyringOptions>);

function resolveOptions(options: MultiKeyringOptions): {
  readonly generator: Keyring | null;
  readonly children: readonly Keyring[];
} {
  const { generator = null, children } = readOptions(readMultiKeyring, options);
  if (generator === null && children.length === 0)
    throw new EnvelopeError("option-invalid", "a generator, children or both are needed");
  return { generator, children };
}
