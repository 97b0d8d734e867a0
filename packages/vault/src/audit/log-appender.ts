/**
 * Adds to the log: puts the entries behind the tree that is there, signs the new one, and gives the log all of it at
 * once. What is known of the log's end is kept between two additions; whoever was overtaken reads it anew.
 */
import { randomUUID } from "node:crypto";
import { EMPTY_ROOT } from "@strongroom/tlog/tree";
import type { CompactRange } from "@strongroom/tlog/tree";
import type { Addition, AuditLog, LogState } from "../stores/audit-log.ts";
import type { Lease } from "../stores/jobs.ts";
import { logEntryOf } from "./log-entries.ts";
import type { PlacedEntry } from "./log-entries.ts";
import { addLeaves, rangeOf } from "./log-tree.ts";
import { rolledBack } from "./own-checkpoints.ts";
import { originOf } from "./signer.ts";
import type { NoteSigner } from "./signer.ts";

/** What is added, but for what follows from it. */
export interface NewEntries extends Pick<Addition, "heads" | "messages" | "removed" | "streams" | "closed"> {
  readonly placed: readonly PlacedEntry[];
  /** Left out: as it was. */
  readonly adopted?: boolean;
  /** Another history begins with it. */
  readonly begins?: true;
}

/** What the log says of itself while nothing is in it. */
const isBegun = (state: LogState): state is LogState & { readonly history: string } => state.history !== null;

/** The end of the log. */
export class LogAppender {
  readonly #log: AuditLog;
  readonly #vault: string;
  readonly #signer: NoteSigner;
  #state: LogState;
  #range: CompactRange;
  #published: number;

  private constructor(parts: { log: AuditLog; vault: string; signer: NoteSigner }, state: LogState) {
    this.#log = parts.log;
    this.#vault = parts.vault;
    this.#signer = parts.signer;
    this.#state = state;
    this.#range = requireRange(state);
    this.#published = state.published;
  }

  /** Reads where the log ends. @throws VaultError `store-rolled-back`: what it says of its tree is no tree */
  static async open(parts: { log: AuditLog; vault: string; signer: NoteSigner }): Promise<LogAppender> {
    return new LogAppender(parts, await parts.log.state());
  }

  get state(): LogState {
    return this.#state;
  }

  get root(): Uint8Array {
    return this.#state.size === 0 ? EMPTY_ROOT : this.#range.root();
  }

  /** The newest checkpoint is known to be in the key store: the log is told with what is added next. */
  published(size: number): void {
    this.#published = Math.max(this.#published, size);
  }

  /** Adds all of it, or nothing where it was overtaken: then this one is to be opened anew. */
  async append(
    { placed, adopted = this.#state.adopted, begins, ...derived }: NewEntries,
    lease: Lease,
  ): Promise<"integrated" | "overtaken"> {
    const base = this.#state;
    const range = this.#range.copy();
    const entries = placed.map(logEntryOf);
    const subtrees = addLeaves(range, entries);
    const history = begins !== true && isBegun(base) ? base.history : randomUUID();
    const checkpoint = { origin: originOf(this.#vault, history), size: range.size, root: range.root() };
    const state: LogState = {
      history,
      size: range.size,
      subtrees: range.subtrees,
      checkpoint: await this.#signer.sign(checkpoint),
      published: this.#published,
      adopted,
      forgotten: base.forgotten,
    };
    const addition: Addition = { entries, subtrees, state, ...derived, begins: begins === true };
    const outcome = await this.#log.integrate(base, addition, lease);
    if (outcome === "integrated") [this.#state, this.#range] = [state, range];
    return outcome;
  }
}

function requireRange(state: LogState): CompactRange {
  const range = rangeOf(state);
  if (range === null) throw rolledBack("the audit's log says of its tree what is no tree");
  return range;
}
