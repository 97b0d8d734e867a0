// The Merkle tree of a log (RFC 9162, section 2.1, whose hashes are those of RFC 6962): leaves and nodes are hashed
// under prefixes of their own, and the roots of complete subtrees are all that is needed to go on.

import { hash } from "node:crypto";

/** Bytes of a hash: SHA-256. */
export const HASH_LENGTH = 32;

const NODE_PREFIX = 0x01;

/** Reused by every call: hashing is synchronous, and nothing of it is secret. */
const nodeInput = new Uint8Array(1 + 2 * HASH_LENGTH);
nodeInput[0] = NODE_PREFIX;

/** The root of a tree without leaves. */
export const EMPTY_ROOT: Uint8Array = hash("sha256", "", "buffer");

/** The hash of a leaf that holds `data`; text is taken as UTF-8. */
export function leafHash(data: string | Uint8Array): Uint8Array {
  const length = typeof data === "string" ? Buffer.byteLength(data) : data.length;
  const input = Buffer.alloc(1 + length);
  if (typeof data === "string") input.write(data, 1, "utf8");
  else input.set(data, 1);
  return hash("sha256", input, "buffer");
}

/** The hash of a node over its two children. */
export function nodeHash(left: Uint8Array, right: Uint8Array): Uint8Array {
  if (left.length !== HASH_LENGTH || right.length !== HASH_LENGTH) throw new RangeError("a hash has 32 bytes");
  nodeInput.set(left, 1);
  nodeInput.set(right, 1 + HASH_LENGTH);
  return hash("sha256", nodeInput, "buffer");
}

/** A complete subtree: `2 ** height` leaves, the `index`th of its height from the left. */
export interface Subtree {
  readonly height: number;
  readonly index: number;
  readonly hash: Uint8Array;
}

/**
 * What is left of a tree when only its growth matters: the roots of its complete subtrees from left to right, of
 * falling heights. It has as many as the size has ones in binary.
 */
export class CompactRange {
  #size = 0;
  readonly #subtrees: { readonly height: number; readonly hash: Uint8Array }[] = [];

  /** How many leaves there are. */
  get size(): number {
    return this.#size;
  }

  /** The roots of its complete subtrees, from left to right: `append` in this order makes the same range. */
  get subtrees(): readonly Pick<Subtree, "height" | "hash">[] {
    return [...this.#subtrees];
  }

  /** The same range, to go on from without changing this one. */
  copy(): CompactRange {
    const copy = new CompactRange();
    copy.#size = this.#size;
    for (const subtree of this.#subtrees) copy.#subtrees.push(subtree);
    return copy;
  }

  /**
   * Adds a leaf's hash, or the root of a complete subtree of `height`.
   * @param completed is told of every subtree that this completes, lowest first, without the one that was given.
   * @throws RangeError if a subtree of this height does not begin here.
   */
  append(added: Uint8Array, height = 0, completed?: (subtree: Subtree) => void): void {
    if (added.length !== HASH_LENGTH) throw new RangeError("a hash has 32 bytes");
    const leaves = 2 ** height;
    const end = this.#size + leaves;
    if (this.#size % leaves !== 0 || !Number.isSafeInteger(end))
      throw new RangeError(`no subtree of height ${height} begins at leaf ${this.#size}`);
    this.#size = end;
    let top = { height, hash: added };
    for (let left = this.#subtrees.at(-1); left?.height === top.height; left = this.#subtrees.at(-1)) {
      this.#subtrees.pop();
      top = { height: top.height + 1, hash: nodeHash(left.hash, top.hash) };
      completed?.({ ...top, index: end / 2 ** top.height - 1 });
    }
    this.#subtrees.push(top);
  }

  /** The root of the tree. */
  root(): Uint8Array {
    let root: Uint8Array | null = null;
    for (const subtree of this.#subtrees.toReversed())
      root = root === null ? subtree.hash : nodeHash(subtree.hash, root);
    return root ?? EMPTY_ROOT;
  }
}
