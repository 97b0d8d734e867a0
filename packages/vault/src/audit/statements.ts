/**
 * Statements: what a vault signs for people to keep, such as that a key was retired. A statement is a signed note
 * (c2sp.org/signed-note) by a key that signs nothing else, so that none of them passes for a checkpoint of the log, and
 * it is verified by whoever has the verifier key, offline and with any program that reads such notes.
 */
import { openNote, TlogError } from "@strongroom/tlog/note";
import { parseVkey } from "@strongroom/tlog/keys";
import { VaultError } from "../errors.ts";
import { NoteSigner, signerName } from "./note-signer.ts";

/** What is stated: names and plain values, none of them personal. */
export type StatedValue = string | number | boolean | null | readonly StatedValue[] | StatedFacts;

/** Names and what they have. */
export interface StatedFacts {
  readonly [name: string]: StatedValue;
}

/** A statement before it is signed. */
export interface Statement {
  /** What kind of thing is stated: 1 to 64 characters of `a-z0-9-`. */
  readonly kind: string;
  readonly facts: StatedFacts;
}

/** A statement whose signature was verified. */
export interface OpenedStatement extends Statement {
  /** The id of the vault that has signed it. */
  readonly vault: string;
}

/** A signed statement, and by what it is verified. */
export interface SignedStatement {
  readonly note: string;
  /** The verifier key. Keep it apart from the note: what comes with it proves nothing. */
  readonly key: string;
}

const FIRST_LINE = "strongroom/statement/1";
const NOTES = "statements";
const KIND = /^[a-z0-9-]{1,64}$/;

/** Signs statements. @param seed 32 bytes, which are wiped */
export class StatementSigner extends NoteSigner {
  readonly #vault: string;

  constructor(vault: string, seed: Buffer) {
    super(vault, NOTES, seed);
    this.#vault = vault;
  }

  /** @throws VaultError `vault-option-invalid` */
  sign({ kind, facts }: Statement): SignedStatement {
    if (!KIND.test(kind)) throw new VaultError("vault-option-invalid", "a statement's kind is of a-z, 0-9 and -");
    const text = [FIRST_LINE, this.#vault, kind, JSON.stringify(facts, null, 2), ""].join("\n");
    try {
      return { note: this.signed(text), key: this.key };
    } catch (cause) {
      throw new VaultError("vault-option-invalid", "what is stated holds control characters", { cause });
    }
  }
}

/**
 * Opens a statement: verifies its signature, and reads it. It needs nothing of the vault.
 *
 * @param key the verifier key, from elsewhere than the note
 * @throws VaultError `statement-refused`: it was not signed by that key as it is, or is no statement
 * @example
 * ```ts
 * import { openStatement } from "@strongroom/vault";
 *
 * const opened = (note: string, key: string): string => {
 *   try {
 *     return openStatement(note, key).kind;
 *   } catch {
 *     return "refused";
 *   }
 * };
 * console.log(opened("strongroom/statement/1", "no key")); // prints: refused
 * ```
 */
export function openStatement(note: string, key: string): OpenedStatement {
  let text: string;
  try {
    text = openNote(note, [parseVkey(key)]).text;
  } catch (cause) {
    if (!(cause instanceof TlogError)) throw cause;
    throw refused(cause.message, cause);
  }
  const [first, vault = "", kind = "", ...facts] = text.split("\n");
  const found = parsed(facts.join("\n"));
  if (first !== FIRST_LINE || !KIND.test(kind) || found === null) throw refused("it is not a statement");
  // A key of another vault's, or of checkpoints, that somebody names by mistake.
  if (!key.startsWith(`${signerName(vault, NOTES)}+`)) throw refused("it is of another vault than the key");
  return { vault, kind, facts: found };
}

function parsed(text: string): Statement["facts"] | null {
  try {
    const found: unknown = JSON.parse(text);
    return typeof found === "object" && found !== null && !Array.isArray(found) ? (found as Statement["facts"]) : null;
  } catch {
    return null;
  }
}

const refused = (why: string, cause?: unknown): VaultError =>
  new VaultError("statement-refused", `The statement is refused: ${why}`, cause === undefined ? {} : { cause });
