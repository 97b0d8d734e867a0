// Checkpoints (c2sp.org/tlog-checkpoint): the text of a note that says which log, how many leaves, which root. And the
// texts in which proofs about them travel (c2sp.org/tlog-proof, c2sp.org/tlog-witness).

import { fromBase64, toBase64 } from "./base64.ts";
import { TlogError } from "./errors.ts";
import { EMPTY_ROOT, HASH_LENGTH } from "./tree.ts";

/** What a log says of itself at one size. */
export interface Checkpoint {
  /** Which log it is. */
  readonly origin: string;
  /** How many leaves. */
  readonly size: number;
  readonly root: Uint8Array;
}

/** Lines after the third, which no reader here understands. */
export interface ParsedCheckpoint extends Checkpoint {
  readonly extensions: readonly string[];
}

/** Of a proof (c2sp.org/tlog-proof). */
const MOST_HASHES = 63;

/** No leading zeros; sizes beyond 2^53 - 1 are not counted exactly here, and are refused. */
const DECIMAL = /^(?:0|[1-9]\d{0,15})$/;

/** Reads the text of a checkpoint. @throws TlogError `malformed`. */
export function parseCheckpoint(text: string): ParsedCheckpoint {
  const lines = text.endsWith("\n") ? text.slice(0, -1).split("\n") : [];
  const [origin = "", decimal = "", base64 = "", ...extensions] = lines;
  const [size, root] = [DECIMAL.test(decimal) ? Number(decimal) : Number.NaN, fromBase64(base64)];
  if (lines.length < 3 || lines.includes("")) throw malformed("a checkpoint has three lines and no empty ones");
  if (!Number.isSafeInteger(size)) throw malformed("its size is no number of leaves");
  if (root?.length !== HASH_LENGTH) throw malformed("its root is no SHA-256 in base64");
  if (size === 0 && Buffer.compare(root, EMPTY_ROOT) !== 0) throw malformed("a log without leaves has another root");
  return { origin, size, root, extensions };
}

/** The text of a checkpoint, which `signNote` signs. @throws RangeError for an origin that is no line. */
export function formatCheckpoint({ origin, size, root }: Checkpoint): string {
  if (origin === "" || origin.includes("\n")) throw new RangeError("an origin is one line");
  return `${origin}\n${size}\n${toBase64(root)}\n`;
}

/** A proof of inclusion that can be verified by itself (c2sp.org/tlog-proof). */
export function formatInclusionProof(index: number, proof: readonly Uint8Array[], checkpoint: string): string {
  return [PROOF_HEAD, `index ${index}`, ...proof.map(toBase64), "", checkpoint].join("\n");
}

/** A proof of inclusion as it travels. */
export interface ParsedInclusionProof {
  readonly index: number;
  readonly hashes: readonly Uint8Array[];
  /** A signed note: nothing of it is verified. */
  readonly checkpoint: string;
}

const PROOF_HEAD = "c2sp.org/tlog-proof@v1";

/** Reads what `formatInclusionProof` writes. @throws TlogError `malformed`. */
export function parseInclusionProof(text: string): ParsedInclusionProof {
  const split = text.indexOf("\n\n");
  const [head, place = "", ...lines] = split === -1 ? [] : text.slice(0, split).split("\n", 3 + MOST_HASHES);
  const index = /^index (\d{1,16})$/.exec(place)?.[1] ?? "";
  const hashes = lines.map(fromBase64);
  if (head !== PROOF_HEAD || !DECIMAL.test(index) || lines.length > MOST_HASHES)
    throw malformed("it does not begin as a proof does");
  if (!hashes.every((hash) => hash?.length === HASH_LENGTH)) throw malformed("one of its hashes is none");
  return { index: Number(index), hashes: hashes as Uint8Array[], checkpoint: text.slice(split + 2) };
}

/** A checkpoint with the proof that it goes on from an older size: what a witness is sent (c2sp.org/tlog-witness). */
export function formatConsistencyProof(oldSize: number, proof: readonly Uint8Array[], checkpoint: string): string {
  return [`old ${oldSize}`, ...proof.map(toBase64), "", checkpoint].join("\n");
}

/** Reads a size on a line of its own, as a witness answers with it. @throws TlogError `malformed`. */
export function parseSizeLine(text: string): number {
  const decimal = text.endsWith("\n") ? text.slice(0, -1) : text;
  const size = DECIMAL.test(decimal) ? Number(decimal) : Number.NaN;
  if (!Number.isSafeInteger(size)) throw malformed("this is no number of leaves");
  return size;
}

const malformed = (message: string): TlogError => new TlogError("malformed", message);
