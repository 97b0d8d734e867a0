/**
 * The keyring interface (framework/keyring-interface.md): wraps and unwraps data keys. What it works on are materials
 * (framework/structures.md, "Encryption Materials" and "Decryption Materials"). They are values: a keyring returns new
 * ones and leaves those it was given alone.
 */
import type { CipherKey } from "../crypto/key-derivation.ts";
import type { SecretBytes } from "../crypto/secret.ts";
import type { SigningKey } from "../crypto/signature.ts";
import type { EncryptedDataKeyReport, OnCall, RegionFailureKind } from "../errors.ts";
import type { CanonicalContext } from "../format/encryption-context.ts";
import type { EncryptedDataKey, MessageHeader } from "../format/header.ts";
import type { AlgorithmSuite } from "../format/suites.ts";
import { having, needed, text } from "../options.ts";
import type { Reader, Rows } from "../options.ts";

/** Where a data key's wraps are, and where they should be but are not. */
export interface WrapReport {
  readonly target: number;
  readonly minimum: number;
  readonly stored: readonly { readonly region: string; readonly keyArn: string }[];
  /** Empty when the target is met. */
  readonly missing: readonly { readonly region: string; readonly keyArn: string; readonly reason: RegionFailureKind }[];
}

/** The key under which an encrypted data key was opened. */
export interface OpeningKey {
  readonly providerId: string;
  /** The key's name or ARN; hexadecimal for what is no text. Of a replica that answered, its own ARN. */
  readonly key: string;
  /** AWS region of the key's ARN, null for keys that are in no region. */
  readonly region: string | null;
}

export interface EncryptionMaterials {
  readonly suite: AlgorithmSuite;
  /** Everything that is authenticated: stored entries, required entries and the public signing key. */
  readonly encryptionContext: CanonicalContext;
  /** Keys of the context that are authenticated but not stored in the message. */
  readonly requiredContextKeys: readonly string[];
  /** null until a keyring generates it. */
  readonly dataKey: SecretBytes | null;
  readonly encryptedDataKeys: readonly EncryptedDataKey[];
  readonly signingKey: SigningKey | null;
  readonly wraps?: WrapReport;
}

export interface DecryptionMaterials {
  readonly suite: AlgorithmSuite;
  readonly encryptionContext: CanonicalContext;
  readonly requiredContextKeys: readonly string[];
  readonly dataKey: SecretBytes | null;
  /**
   * Whether this data key is the message's own: derives the message's keys and verifies commitment and header.
   * Keyrings ask it for every candidate, so that a region that answers a wrong key costs a try and not the read.
   */
  accepts(candidate: Uint8Array): boolean;
  /** What the data key was opened with, said by the keyring that did. */
  readonly openedBy?: OpeningKey | undefined;
  /**
   * Encrypted data keys that were tried before and are wrong beside one that is right: they did not open, or to a key
   * that is not accepted. Left out when there are none.
   */
  readonly refused?: readonly EncryptedDataKeyReport[];
}

/** Materials that may be sealed with. */
export interface CompleteEncryptionMaterials extends EncryptionMaterials {
  readonly dataKey: SecretBytes;
}

export interface CompleteDecryptionMaterials extends DecryptionMaterials {
  readonly dataKey: SecretBytes;
  /**
   * From a manager that remembers headers: told of the one that was verified with these materials, and of the key that
   * verified it.
   */
  readonly remember?: (header: MessageHeader, authenticatedOnly: Uint8Array, cipherKey: CipherKey) => void;
}

export interface KeyringCall {
  /** Aborted when the caller gives up. A keyring that waits for anything honours it. */
  readonly signal: AbortSignal | undefined;
  /**
   * Name of an entry that each wrapping key adds to the context of its own wrap, with its own ARN as the value
   * (framework/branch-key-store.md, `kms-arn`). Keyrings whose wrapping keys have no ARN leave it out.
   */
  readonly keyArnEntry?: string | undefined;
  /**
   * Opens only wraps under secret keys. Whoever has a public key can wrap a key of his own choice under it, which does
   * harm where it is a key that others will seal with. A keyring over public keys takes no wrap for its own then.
   */
  readonly secretKeysOnly?: boolean | undefined;
  /** Told of each call to a KMS that is answered while it is waited for. A keyring that calls none leaves it out. */
  readonly onCall?: OnCall | undefined;
}

/** A key that is kept wrapped, and is to have wraps under a keyring's wrapping keys. */
export interface Rewrapping {
  /** Wraps that it has, whoever made them. Those that are wrong are found out by `accepts`. */
  readonly wraps: readonly EncryptedDataKey[];
  /** The keyrings whose wrapping keys made them, the likeliest first. */
  readonly sources: readonly Keyring[];
  readonly encryptionContext: CanonicalContext;
  /** Names of wrapping keys of this keyring that have a right wrap already: they need no other, and count. */
  readonly have: readonly string[];
  /**
   * `opened`: each new wrap is opened by its own key, and `accepts` asked, before it is given. `policy`: those that the
   * keyring would prove in a write. `none`: none is, but of a key that has answered untruly before.
   */
  readonly proof: "opened" | "policy" | "none";
  /** Whether a key is the one that is kept: asked of each that is opened. */
  accepts(candidate: Uint8Array): boolean;
}

/** A wrap that was just made. */
export interface MadeWrap {
  readonly wrap: EncryptedDataKey;
  /** The name of the wrapping key. */
  readonly key: string;
  /** Which material of it, where its provider told; null: it is not known. */
  readonly material: string | null;
  /** Whether it was opened, and held the key. */
  readonly isProven: boolean;
}

/** What a rewrapping came to. */
export interface Rewrapped {
  readonly made: readonly MadeWrap[];
  /** How many wraps under this keyring are wanted, those of `have` among them. */
  readonly target: number;
  /** Empty when the target is met. */
  readonly missing: WrapReport["missing"];
}

export interface Keyring {
  /**
   * Generates a data key if there is none, wraps it, and returns materials with both.
   *
   * @throws EnvelopeError when it could not; the data key it made is then wiped.
   */
  onEncrypt(materials: EncryptionMaterials, call: KeyringCall): Promise<EncryptionMaterials>;
  /**
   * Returns materials with the data key of the first encrypted data key it can unwrap *and* that
   * `materials.accepts`. Never returns materials without one.
   *
   * @throws EnvelopeError `no-matching-key` when none is for this keyring's keys, `decryption-failed` when its keys
   *   refused, or a provider's own code. `encryptedDataKeys` on the error tells what came of each.
   */
  onDecrypt(
    materials: DecryptionMaterials,
    encryptedDataKeys: readonly EncryptedDataKey[],
    call: KeyringCall,
  ): Promise<DecryptionMaterials>;
  /**
   * Makes wraps under its own wrapping keys of a key that is kept wrapped elsewhere, by the fewest calls: where a
   * provider can turn one wrap into another, the key does not leave it; otherwise it is opened once, and wrapped in
   * each. Never throws for a wrap that could not be made: that is `missing`. Keyrings that leave it out are given the
   * opened key.
   *
   * @throws EnvelopeError `deadline-exceeded`, `keyring-overloaded`, `aborted`; what opening throws where nothing was
   *   made and the key had to be opened
   */
  onRewrap?(request: Rewrapping, call: KeyringCall): Promise<Rewrapped>;
  /**
   * Whether a rewrapping turns a wrap under a source's wrapping key `from` into one under its own `to` by one call, so
   * that the key does not leave the provider. Nothing is asked of it. Left out: never.
   */
  reEncrypts?(source: Keyring, from: string, to: string): boolean;
  /** How many wraps it wants of a key. Left out: one for each of its wrapping keys. */
  readonly target?: number;
  /**
   * Which material each of its wrapping keys has now, of those whose provider tells; null: it did not answer.
   *
   * @throws EnvelopeError `aborted`
   */
  currentMaterials?(call: KeyringCall): Promise<readonly { readonly key: string; readonly material: string | null }[]>;
}

/** An option that is a keyring. */
export const keyringOption: Reader<Keyring> = having<Keyring>("a keyring", "onEncrypt", "onDecrypt");

// Names of raw keys (framework/keyring-interface.md, "key namespace", "key name", "key provider ID").

const RESERVED_NAMESPACE = "aws-kms";

export interface KeyNames {
  readonly keyNamespace: string;
  readonly keyName: string;
}

const notReserved: Reader<string> = (value, name, problems) => {
  const namespace = text(value, name, problems);
  if ((namespace as string | undefined)?.startsWith(RESERVED_NAMESPACE) === true)
    problems.push(`${name} must not begin with ${RESERVED_NAMESPACE}: that is for keys in AWS KMS`);
  return namespace;
};

export const KEY_NAME_ROWS: Rows<KeyNames> = { keyNamespace: needed(notReserved), keyName: needed(text) };
