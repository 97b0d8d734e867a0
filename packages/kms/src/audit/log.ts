// The audit log: a Merkle tree whose leaves are the events (RFC 9162), and a signed checkpoint of its newest state
// (c2sp.org/tlog-checkpoint), stored in the transaction that adds to it. A commit of many calls takes one signature.
// Threat: someone who can write the database, but has no root key, changes, removes, inserts, reorders or cuts off
// entries. Whoever has a checkpoint of before, on this machine or another, also notices the whole set back.

import { randomBytes } from "node:crypto";
import type { KeyObject } from "node:crypto";
import { formatCheckpoint, parseCheckpoint } from "@strongroom/tlog/checkpoint";
import type { Checkpoint } from "@strongroom/tlog/checkpoint";
import { signerOf } from "@strongroom/tlog/keys";
import type { Signer } from "@strongroom/tlog/keys";
import { openNote, parseNote, signNote, tlogFailure } from "@strongroom/tlog/note";
import { isStored } from "@strongroom/tlog/stored-tree";
import { leafHash } from "@strongroom/tlog/tree";
import type { Subtree, CompactRange } from "@strongroom/tlog/tree";
import { KmsError } from "../errors.ts";
import type { AuditEvent } from "./event.ts";
import type { LogEvent } from "./log-event.ts";

/** An entry as it is stored. */
export interface AuditEntry {
  readonly seq: number;
  readonly event: string;
  readonly leaf: Uint8Array;
}

/** Size and root of the log. */
export type Head = Pick<Checkpoint, "size" | "root">;

/** What a commit adds to the log: not part of it until it is committed and accepted. */
export interface Extension extends Head {
  readonly entries: readonly AuditEntry[];
  /** The subtrees to be kept that the entries complete. */
  readonly nodes: readonly Subtree[];
  /** The signed note of the log with the entries. */
  readonly checkpoint: string;
  readonly range: CompactRange;
}

/** The log that goes on from its last entry. */
export class AuditLog {
  /** Null once closed. */
  #signer: Signer | null;
  #range: CompactRange;
  #checkpoint: string;

  /** `checkpoint` is the signed note of the tree that `range` is. */
  constructor(signer: Signer, range: CompactRange, checkpoint: string) {
    this.#signer = signer;
    this.#range = range;
    this.#checkpoint = checkpoint;
  }

  /** The signed note of everything that is accepted. */
  get checkpoint(): string {
    return this.#checkpoint;
  }

  /** Size and root of everything that is accepted. */
  get head(): Head {
    return { size: this.#range.size, root: this.#range.root() };
  }

  /** What a note says if this log's key signed it, of this history; null: it is anything else. */
  own(note: string): Checkpoint | null {
    const signer = this.#openSigner();
    try {
      return parseCheckpoint(openNote(note, [signer]).text);
    } catch (error) {
      if (tlogFailure(error) === null) throw error;
      return null;
    }
  }

  /** The log with these events, not yet part of it: `accept` it once it is committed. */
  extend(events: readonly (AuditEvent | LogEvent)[]): Extension {
    const signer = this.#openSigner();
    if (events.length > 0) return extendLog(signer, this.#range, events);
    return { entries: [], nodes: [], range: this.#range, ...this.head, checkpoint: this.#checkpoint };
  }

  /** Goes on from what is now committed. */
  accept({ range, checkpoint, entries }: Extension): void {
    if (entries.length === 0) return;
    this.#range = range;
    this.#checkpoint = checkpoint;
  }

  /** Lets go of the key; OpenSSL wipes it. */
  close(): void {
    this.#signer = null;
  }

  #openSigner(): Signer {
    if (this.#signer === null) throw new Error("the log is closed");
    return this.#signer;
  }
}

/** Adds events to the tree that `from` is, which stays as it is, and signs the new one. */
export function extendLog(signer: Signer, from: CompactRange, events: readonly (AuditEvent | LogEvent)[]): Extension {
  const range = from.copy();
  const nodes: Subtree[] = [];
  const entries = events.map((given) => {
    const event = JSON.stringify(given);
    const leaf = leafHash(event);
    range.append(leaf, 0, (subtree) => {
      if (isStored(subtree)) nodes.push(subtree);
    });
    return { seq: range.size, event, leaf };
  });
  const head = { size: range.size, root: range.root() };
  return { entries, nodes, range, ...head, checkpoint: signHead(signer, head) };
}

/** The signed note of a tree. */
export const signHead = (signer: Signer, head: Head): string =>
  signNote(formatCheckpoint({ origin: signer.name, ...head }), [signer]);

/** The origin of a new history: which log it is, told from every other. */
export const newOrigin = (): string => `strongroom-kms/${randomBytes(16).toString("hex")}`;

/** The signer of a log: its key has the name that is the log's origin. */
export const signerFor = (origin: string, key: KeyObject): Signer => signerOf(origin, "ed25519", key);

/** The checkpoint of a note, null if this key did not sign it. */
export function ownCheckpoint(note: string | null, key: KeyObject): Checkpoint | null {
  if (note === null) return null;
  try {
    return openCheckpoint(note, key, "it");
  } catch {
    return null;
  }
}

/**
 * Reads a checkpoint that this key signed, of whichever history.
 * @param from names it in errors.
 * @throws KmsError `audit-broken` if it has another form or is by another key.
 */
export function openCheckpoint(note: string | Uint8Array, key: KeyObject, from: string): Checkpoint {
  try {
    const checkpoint = parseCheckpoint(parseNote(note).text);
    openNote(note, [signerFor(checkpoint.origin, key)]);
    return checkpoint;
  } catch (cause) {
    const failure = tlogFailure(cause);
    if (failure === null) throw cause;
    const why = failure === "unsigned" ? "is signed by another key" : "was changed";
    throw new KmsError("audit-broken", `${from} ${why}.`, { cause });
  }
}
