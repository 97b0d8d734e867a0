/**
 * The walk of a verification (verify-log.ts) through the log: each entry against its leaf and what stands beside it,
 * the subtrees that are kept against their leaves, and checkpoints of before where they are passed.
 */
import { setImmediate } from "node:timers/promises";
import type { Checkpoint } from "@strongroom/tlog/checkpoint";
import { isStored } from "@strongroom/tlog/stored-tree";
import { CompactRange, leafHash } from "@strongroom/tlog/tree";
import type { Subtree } from "@strongroom/tlog/tree";
import { VaultError } from "../errors.ts";
import type { AuditLog, WholeLogRow } from "../stores/audit-log.ts";
import type { EntryText } from "./entry.ts";
import { parseEntry } from "./entry-text.ts";
import { isBeside, LOG_STREAM } from "./log-entries.ts";
import { VerifiedTables } from "./verify-tables.ts";
import { VerifiedTexts } from "./verify-texts.ts";

const PAGE = 500;

/** Adds a problem. */
export type Report = (code: string, position: number | null, message: string) => void;

export interface WalkOptions {
  readonly signal?: AbortSignal | undefined;
  readonly progress?: ((done: number, of: number) => void) | undefined;
}

/** From the first entry to the last. */
export class Walk {
  readonly range: CompactRange = new CompactRange();
  readonly tables: VerifiedTables = new VerifiedTables();
  readonly texts: VerifiedTexts = new VerifiedTexts();
  readonly #log: AuditLog;
  readonly #kept: Checkpoint[];
  readonly #report: Report;
  #passed: readonly Checkpoint[] = [];

  constructor(log: AuditLog, kept: readonly Checkpoint[], report: Report) {
    this.#log = log;
    this.#kept = [...kept];
    this.#report = report;
  }

  /** Checkpoints from which the log does not go on. */
  get unmet(): readonly Checkpoint[] {
    return [...this.#passed, ...this.#kept];
  }

  /** From where it is up to a size. */
  async all({ signal, progress }: WalkOptions, size: number): Promise<void> {
    this.#meet();
    while (this.range.size < size) {
      if (signal?.aborted === true) throw new VaultError("aborted", "The verification was ended");
      const from = this.range.size;
      const rows = await this.#log.entries({ from, limit: Math.min(PAGE, size - from) });
      if (rows.length === 0) {
        this.#report("position", from, `entry ${from} is gone, of ${size}`);
        break;
      }
      await this.#page(rows);
      progress?.(this.range.size, size);
      await setImmediate();
    }
  }

  async #page(rows: readonly WholeLogRow[]): Promise<void> {
    const completed: Subtree[] = [];
    const positions = await this.#log.positions(rows.map(({ id }) => id));
    for (const [index, row] of rows.entries()) {
      const position = this.range.size;
      if (row.position !== position) this.#report("position", position, `entry ${position} is gone`);
      if (positions[index] !== row.position)
        this.#report("position", position, `entry ${position} is not found by its id`);
      const leaf = this.#entry(row, position);
      this.range.append(leaf, 0, (subtree) => {
        if (isStored(subtree)) completed.push(subtree);
      });
      this.#meet();
    }
    for (const { height, index, hash } of completed) {
      this.tables.subtrees++;
      const [stored] = await this.#log.hashes({ height, start: index, end: index + 1 });
      if (stored === undefined || Buffer.compare(stored, hash) !== 0)
        this.#report("subtree", null, `the root of subtree ${index} of height ${height} is not that of its entries`);
    }
  }

  /** Looks at an entry. @returns the hash that its text has; without one, that which it has in the log */
  #entry(row: WholeLogRow, position: number): Uint8Array {
    const { text, leaf } = row;
    if (text === null) {
      this.texts.take(null, position);
      if (row.found.people.length > 0) this.#report("columns", position, `entry ${position} still says whose it was`);
      return leaf;
    }
    const hash = leafHash(text);
    if (Buffer.compare(hash, leaf) !== 0)
      this.#report("text", position, `the text of entry ${position} is not the one of its leaf`);
    const entry = parseEntry(text);
    if (entry === null) this.#report("text", position, `the text of entry ${position} is none`);
    else this.#parsed(row, entry, position);
    return hash;
  }

  #parsed(row: WholeLogRow, entry: EntryText, position: number): void {
    if (!isBeside(row, entry))
      this.#report("columns", position, `what stands beside the text of entry ${position} is not what it says`);
    if (entry.stream === LOG_STREAM && entry.number !== position + 1)
      this.#report("position", position, `entry ${position} was written for position ${entry.number - 1}`);
    this.texts.take(entry, position);
    this.tables.take(entry, position);
  }

  /** Checkpoints of the size that is reached. */
  #meet(): void {
    const { size } = this.range;
    for (let next = this.#kept[0]; next !== undefined && next.size <= size; next = this.#kept[0]) {
      this.#kept.shift();
      if (next.size !== size || Buffer.compare(this.range.root(), next.root) !== 0)
        this.#passed = [...this.#passed, next];
    }
  }
}
