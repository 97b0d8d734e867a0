/**
 * The certificate of an erasure: what was destroyed and when, and what remains and what it dies with. A signed note
 * (c2sp.org/signed-note) by a key that signs nothing else; whoever has the verifier key, from elsewhere than the file,
 * verifies it offline. It names nobody: the person is an opaque id, and a salted commitment to the name, whose salt the
 * person alone is given.
 */
import { createHash, timingSafeEqual } from "node:crypto";
import { openNote, signNote, TlogError } from "@strongroom/tlog/note";
import { parseVkey, signerOf, signingKeyOf } from "@strongroom/tlog/keys";
import type { Signer } from "@strongroom/tlog/keys";
import { isVaultError, VaultError } from "../errors.ts";
import { lp } from "../keys/length-prefixed.ts";
import type { Scope, SubjectId } from "../stores/subjects.ts";

/** Something that an erasure cannot take away by itself, and when it is worth nothing any more. */
export interface Remainder {
  /** What remains: a code of docs/erasure.md. */
  readonly what: string;
  /**
   * `key`: it is worth nothing since the keys of the person are gone. `second-stage`: once every wrapping key of
   * `wrappingKeys` is gone. `never`: keys do not help, it is there until it is deleted. `retention`: until the audit
   * forgets it.
   */
  readonly diesWith: "key" | "second-stage" | "never" | "retention";
  /** What it is in detail: names of collections, of indexes; none of it personal. */
  readonly of: readonly string[];
}

/** A key that wrapped keys of the person, and what is known of its end. */
export interface WrappingKeyState {
  /** An ARN, or what its provider calls it. */
  readonly key: string;
  readonly generation: number;
  /** `in-use` in the first stage; the second stage says the others. */
  readonly state: "in-use" | "disabled" | "deletion-scheduled" | "gone" | "attested-gone";
  /** Since when it is gone: ISO 8601, UTC; null: it is not, or nobody has proven it. */
  readonly goneAt: string | null;
}

/** What a certificate says. */
export interface CertificateFacts {
  /** A UUID; both stages of one erasure have the same. */
  readonly erasure: string;
  /** 1: rows and keys are gone. 2: and so is every key that opens old backups of the key store. */
  readonly stage: 1 | 2;
  /** The opaque id. */
  readonly person: SubjectId;
  /** Base64url of 32 bytes (nameCommitment); null: the name was not known any more when it was done. */
  readonly nameCommitment: string | null;
  /** A code. */
  readonly reason: string;
  readonly begunAt: string;
  readonly doneAt: string;
  /** From then on no process answers or seals under a key of the person: done + cache age + longest request. */
  readonly quietAt: string;
  /** Records that were removed with all their versions; each is an entry of the audit. */
  readonly records: number;
  /** Versions of keys that were destroyed. */
  readonly keys: number;
  /** Scopes of the collections that the records were in. */
  readonly scopes: readonly Scope[];
  /** Of the person's keys; `isShared`: the wrapping key wraps other things too, so that it is never destroyed. */
  readonly generation: { readonly number: number; readonly isShared: boolean };
  readonly wrappingKeys: readonly WrappingKeyState[];
  /** Of the second stage: since when it holds; null in the first. */
  readonly holdsFrom: string | null;
  /** Where what was erased lay: `sqlite`, `postgresql`, `memory`, `unknown`. */
  readonly stores: { readonly records: string; readonly keys: string };
  /** Whether backups of records and of keys are made, and set back, together. */
  readonly backups: "together" | "apart" | "unknown";
  readonly remains: readonly Remainder[];
}

/** A certificate whose signature was verified. */
export interface VerifiedCertificate {
  /** The id of the vault that has signed it. */
  readonly vault: string;
  readonly facts: CertificateFacts;
}

const FIRST_LINE = "strongroom/certificate/1";
const NAME_LABEL = "strongroom/erased-name/1";
const VAULT_ID = /^[0-9a-f-]{8,64}$/;

const signerName = (vault: string): string => `strongroom/${vault}/certificates`;

/** Signs certificates. @param seed 32 bytes, which are wiped */
export class CertificateSigner {
  readonly #vault: string;
  readonly #signer: Signer;

  constructor(vault: string, seed: Buffer) {
    this.#vault = vault;
    this.#signer = signerOf(signerName(vault), "ed25519", signingKeyOf(seed));
  }

  /** The verifier key. */
  get key(): string {
    return this.#signer.vkey;
  }

  sign(facts: CertificateFacts): string {
    return signNote(textOf(this.#vault, facts), [this.#signer]);
  }
}

const textOf = (vault: string, facts: CertificateFacts): string =>
  [FIRST_LINE, vault, JSON.stringify(facts, null, 2), ""].join("\n");

/**
 * Verifies a certificate, and reads it. It needs nothing of the vault: no byte of it may be another one.
 *
 * @param key the verifier key, from elsewhere than the certificate
 * @throws VaultError `certificate-invalid`
 * @example
 * ```ts
 * import { isVaultError, verifyCertificate } from "@strongroom/vault";
 *
 * const verified = (text: string, key: string): string => {
 *   try {
 *     return verifyCertificate(text, key).facts.person;
 *   } catch (error) {
 *     return isVaultError(error) ? error.code : "failed";
 *   }
 * };
 * console.log(verified("strongroom/certificate/1", "no key")); // prints: certificate-invalid
 * ```
 */
export function verifyCertificate(text: string, key: string): VerifiedCertificate {
  try {
    const { text: signed, signatures } = openNote(text, [parseVkey(key)]);
    const [first, vault = "", ...facts] = signed.split("\n");
    if (first !== FIRST_LINE || !VAULT_ID.test(vault)) throw invalid("it is no certificate");
    // A key of another vault's, or of checkpoints, that somebody names by mistake.
    if (!key.startsWith(`${signerName(vault)}+`)) throw invalid("it is of another vault than the key");
    // Whatever the signature leaves open, such as a second one or spare bits of its base64, has one form only.
    if (signatures.length !== 1 || !isCanonical(text, signed)) throw invalid("it has more than its one signature");
    return { vault, facts: JSON.parse(facts.join("\n")) as CertificateFacts };
  } catch (cause) {
    if (isVaultError(cause)) throw cause;
    if (cause instanceof TlogError || cause instanceof SyntaxError) throw invalid(cause.message, cause);
    throw cause;
  }
}

/** One signature line behind the text, whose base64 is written as it is read. */
function isCanonical(text: string, signed: string): boolean {
  const line = text.slice(signed.length + 1);
  const base64 = line.slice(line.lastIndexOf(" ") + 1, -1);
  return line.indexOf("\n") === line.length - 1 && Buffer.from(base64, "base64").toString("base64") === base64;
}

/**
 * What a certificate has of a name: whoever has the salt, the name and the tenant shows that it is theirs, and nobody
 * finds the name by trying.
 *
 * @param salt 32 bytes, as whoever asked for the erasure was given them
 * @example
 * ```ts
 * import { nameCommitment } from "@strongroom/vault";
 *
 * const of = { vault: "v", tenant: "default", name: "ada@example.com" };
 * console.log(nameCommitment(new Uint8Array(32), of).length); // prints: 43
 * ```
 */
export function nameCommitment(
  salt: Uint8Array,
  { vault, tenant, name }: { readonly vault: string; readonly tenant: string; readonly name: string },
): string {
  return createHash("sha256")
    .update(lp([NAME_LABEL, Buffer.from(salt).toString("base64url"), vault, tenant, name]))
    .digest("base64url");
}

/**
 * Whether a certificate is about whoever has this name.
 *
 * @example
 * ```ts
 * import { isAboutName } from "@strongroom/vault";
 *
 * const verified = { vault: "v", facts: { nameCommitment: null } };
 * console.log(isAboutName(verified, new Uint8Array(32), { name: "ada", tenant: "default" })); // prints: false
 * ```
 */
export function isAboutName(
  { vault, facts }: { readonly vault: string; readonly facts: Pick<CertificateFacts, "nameCommitment"> },
  salt: Uint8Array,
  named: { readonly name: string; readonly tenant: string },
): boolean {
  const expected = Buffer.from(nameCommitment(salt, { vault, ...named }));
  const found = Buffer.from(facts.nameCommitment ?? "");
  return found.length === expected.length && timingSafeEqual(found, expected);
}

const invalid = (why: string, cause?: unknown): VaultError =>
  new VaultError("certificate-invalid", `The certificate is refused: ${why}`, cause === undefined ? {} : { cause });
