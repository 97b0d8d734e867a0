// Signed notes (c2sp.org/signed-note): a text, an empty line, and a line for each signature. The form is strict and
// bounded before any signature is looked at; signatures of keys that are not known are left alone.

import { fromBase64, toBase64 } from "./base64.ts";
import { TlogError } from "./errors.ts";
import type { Signer, Verifier } from "./keys.ts";
import { isKeyName } from "./keys.ts";

export { TlogError, tlogFailure } from "./errors.ts";
export type { TlogErrorCode } from "./errors.ts";

/** Limits of a note: sixteen signatures of the longest kind fit, and no reader works on a stranger's megabytes. */
export const NOTE_LIMITS = { bytes: 262_144, signatures: 64 } as const;

/** One line below the text. */
export interface NoteSignature {
  readonly name: string;
  readonly keyId: number;
  /** Without the key id. */
  readonly signature: Uint8Array;
}

/** A note as it is written. */
export interface Note {
  /** Ends in a line feed; what is signed. */
  readonly text: string;
  readonly signatures: readonly NoteSignature[];
}

/** A note of which at least one signature is by a key that is trusted. */
export interface OpenedNote extends Note {
  /** The keys that signed it, each once. */
  readonly verifiers: readonly Verifier[];
}

const MARK = "\u2014 ";
const KEY_ID_LENGTH = 4;
const CONTROL = /[\u0000-\u0009\u000b-\u001f]/;

/** Reads a note's form; nothing of it is to be believed yet. @throws TlogError `malformed`. */
export function parseNote(given: string | Uint8Array): Note {
  const whole = textOf(given);
  if (CONTROL.test(whole)) throw malformed("it holds control characters");
  const split = whole.lastIndexOf("\n\n");
  if (split === -1 || !whole.endsWith("\n")) throw malformed("it has no signature lines");
  return { text: whole.slice(0, split + 1), signatures: parseSignatureLines(whole.slice(split + 2)) };
}

/** Reads signature lines alone, as a witness answers with them. @throws TlogError `malformed`. */
export function parseSignatureLines(lines: string): readonly NoteSignature[] {
  if (!lines.endsWith("\n")) throw malformed("its last line does not end");
  const signatures = lines.slice(0, -1).split("\n", NOTE_LIMITS.signatures + 1);
  if (signatures.length > NOTE_LIMITS.signatures)
    throw malformed(`it has more than ${NOTE_LIMITS.signatures} signatures`);
  return signatures.map(parseSignatureLine);
}

function textOf(given: string | Uint8Array): string {
  const length = typeof given === "string" ? Buffer.byteLength(given) : given.length;
  if (length > NOTE_LIMITS.bytes) throw malformed(`it is longer than ${NOTE_LIMITS.bytes} bytes`);
  if (typeof given === "string") {
    if (!given.isWellFormed()) throw malformed("it is not UTF-8");
    return given;
  }
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(given);
  } catch {
    throw malformed("it is not UTF-8");
  }
}

function parseSignatureLine(line: string): NoteSignature {
  const [name = "", base64 = "", ...more] = line.startsWith(MARK) ? line.slice(MARK.length).split(" ") : [];
  const bytes = fromBase64(base64);
  if (!isKeyName(name) || bytes === null || bytes.length <= KEY_ID_LENGTH || more.length > 0)
    throw malformed("a signature line is not a name and base64");
  return { name, keyId: Buffer.from(bytes).readUInt32BE(0), signature: bytes.subarray(KEY_ID_LENGTH) };
}

/**
 * Reads a note and verifies the signatures of keys that are trusted. Each key counts once; of several signatures by one
 * key the first is the one that is looked at.
 * @throws TlogError `malformed`, `signature-wrong`, `unsigned`; RangeError if two verifiers have one name and key id.
 */
export function openNote(given: string | Uint8Array, verifiers: readonly Verifier[]): OpenedNote {
  const note = parseNote(given);
  const known = new Map<string, Verifier>();
  for (const verifier of verifiers) {
    const identity = identityOf(verifier);
    if (known.has(identity)) throw new RangeError(`there are two keys ${identity}`);
    known.set(identity, verifier);
  }
  const signers = new Set<Verifier>();
  for (const line of note.signatures) {
    const verifier = known.get(identityOf(line));
    if (verifier === undefined || signers.has(verifier)) continue;
    if (!verifier.verifies(note.text, line.signature))
      throw new TlogError("signature-wrong", `the signature of ${verifier.name} is not by its key`);
    signers.add(verifier);
  }
  if (signers.size === 0) throw new TlogError("unsigned", "no signature is by a key that is trusted");
  return { ...note, verifiers: [...signers] };
}

const identityOf = ({ name, keyId }: { readonly name: string; readonly keyId: number }): string =>
  `${name}+${keyId.toString(16).padStart(8, "0")}`;

/** Signs a text that ends in a line feed and holds no other control character. @throws RangeError for another text. */
export function signNote(text: string, signers: readonly Signer[]): string {
  if (!text.endsWith("\n") || CONTROL.test(text) || !text.isWellFormed())
    throw new RangeError("a note's text ends in a line feed and has no other control characters");
  const lines = signers.map((signer) => formatSignature(signer, signer.sign(text)));
  if (lines.length === 0) throw new RangeError("a note has a signature");
  return `${text}\n${lines.join("")}`;
}

/** One signature's line. */
export function formatSignature({ name, keyId }: Omit<NoteSignature, "signature">, signature: Uint8Array): string {
  const id = Buffer.alloc(KEY_ID_LENGTH);
  id.writeUInt32BE(keyId);
  return `${MARK}${name} ${toBase64(Buffer.concat([id, signature]))}\n`;
}

const malformed = (message: string): TlogError => new TlogError("malformed", message);
