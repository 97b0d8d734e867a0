/**
 * Four eyes: what one principal asks for, another one approves, before it is done. A request is a statement that the
 * vault has signed, kept as a note in the record store: whoever writes to the database can take one away, and can make
 * none. Threat answered: one administrator, or one stolen token, that retires a key.
 */
import { createHash } from "node:crypto";
import type { VaultAudit } from "../audit/view.ts";
import { openStatement } from "../audit/statements.ts";
import type { Statement } from "../audit/statements.ts";
import { isVaultError, VaultError } from "../errors.ts";
import type { Note, Notes } from "../stores/notes.ts";

/** What is approved: an action, and on what. */
export interface ApprovedAct {
  /** 1 to 32 characters of `a-z-`. */
  readonly action: string;
  /** 1 to 2,048 characters: of a key, its ARN. */
  readonly target: string;
}

/** A request, and who has approved it. */
export interface Approval extends ApprovedAct {
  /** A principal. */
  readonly requestedBy: string;
  /** ISO 8601, UTC. */
  readonly requestedAt: string;
  /** Null: nobody has yet. */
  readonly approvedBy: string | null;
  readonly approvedAt: string | null;
  /** From then on it counts for nothing. */
  readonly until: string;
}

/** `vault.approvals`, on behalf of one caller. */
export interface Approvals {
  /**
   * Asks for it; what was asked for before and is not out of date stays as it is.
   *
   * @throws VaultError `vault-option-invalid`, `approval-contended`; the store's; so do the others
   */
  request(act: ApprovedAct): Promise<Approval>;
  /** @throws VaultError `approval-absent`; `approval-own`: who asks does not approve */
  approve(act: ApprovedAct): Promise<Approval>;
  /** Takes it back, approved or not. Done when there is none. */
  withdraw(act: ApprovedAct): Promise<void>;
  /** That it is approved, by another principal than the one who asked. @throws VaultError `approval-missing` */
  require(act: ApprovedAct): Promise<Approval>;
  /** Those that are not out of date, in no order. */
  list(): Promise<readonly Approval[]>;
}

/** What approvals are kept with. */
export interface ApprovalParts {
  readonly notes: Notes;
  /** Of the caller. */
  readonly audit: Pick<VaultAudit, "sign" | "statementKey">;
  readonly principal: string;
  readonly clock: () => Date;
}

/** How long a request counts: seven days. */
const VALID_MS = 7 * 24 * 3600 * 1000;

const KIND = "approval";
const PREFIX = "approval/";
const ACTION = /^[a-z-]{1,32}$/;
const MOST_TARGET = 2_048;
const ATTEMPTS = 8;

/** Approvals for one caller. */
export function approvalsOf(parts: ApprovalParts): Approvals {
  return new StoredApprovals(parts);
}

class StoredApprovals implements Approvals {
  readonly #parts: ApprovalParts;

  constructor(parts: ApprovalParts) {
    this.#parts = parts;
  }

  async request(act: ApprovedAct): Promise<Approval> {
    const { principal, clock } = this.#parts;
    const now = clock();
    const [requestedAt, until] = [now.toISOString(), new Date(now.getTime() + VALID_MS).toISOString()];
    return this.#change(
      act,
      (found) => found ?? { ...act, requestedBy: principal, requestedAt, approvedBy: null, approvedAt: null, until },
    );
  }

  async approve(act: ApprovedAct): Promise<Approval> {
    const { principal, clock } = this.#parts;
    return this.#change(act, (found) => {
      if (found === null) throw new VaultError("approval-absent", "Nobody has asked for that, or it is out of date");
      if (found.requestedBy === principal)
        throw new VaultError("approval-own", "Who asks for it does not approve it: somebody else must");
      if (found.approvedBy !== null) return found;
      return { ...found, approvedBy: principal, approvedAt: clock().toISOString() };
    });
  }

  async withdraw(act: ApprovedAct): Promise<void> {
    const { notes } = this.#parts;
    for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
      const found = await this.#noteOf(act);
      if (found === null || (await notes.replace(found.name, null, found.text)) === "replaced") return;
    }
    throw contended();
  }

  async require(act: ApprovedAct): Promise<Approval> {
    const note = await this.#noteOf(act);
    const found = note === null ? null : this.#opened(note, await this.#parts.audit.statementKey(), act);
    if (found !== null && found.approvedBy !== null && found.approvedBy !== found.requestedBy) return found;
    throw new VaultError("approval-missing", "Two principals are needed for that: one who asks, and one who approves");
  }

  async list(): Promise<readonly Approval[]> {
    const { notes, audit } = this.#parts;
    const [found, key] = [await notes.list(PREFIX), await audit.statementKey()];
    return found.flatMap((note) => this.#opened(note, key) ?? []);
  }

  /** What is to be instead of what was found, or that itself. */
  async #change(act: ApprovedAct, next: (found: Approval | null) => Approval): Promise<Approval> {
    requireAct(act);
    const { notes, audit } = this.#parts;
    for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
      const note = await this.#noteOf(act);
      const found = note === null ? null : this.#opened(note, await audit.statementKey(), act);
      const changed = next(found);
      if (changed === found) return changed;
      const { note: text } = await audit.sign({ kind: KIND, facts: { ...changed } });
      if ((await notes.replace(nameOf(act), text, note?.text ?? null)) === "replaced") return changed;
    }
    throw contended();
  }

  async #noteOf(act: ApprovedAct): Promise<Note | null> {
    const name = nameOf(act);
    return (await this.#parts.notes.list(name)).find((note) => note.name === name) ?? null;
  }

  /** Null: it is none that this vault has signed, of another act, or out of date. */
  #opened({ text, name }: Note, key: string, act?: ApprovedAct): Approval | null {
    let facts: Statement["facts"];
    try {
      const { kind, facts: found } = openStatement(text, key);
      if (kind !== KIND) return null;
      facts = found;
    } catch (error) {
      if (isVaultError(error)) return null;
      throw error;
    }
    // The vault has signed it: it has this form.
    const approval = facts as unknown as Approval;
    const isAsked = act === undefined || (approval.action === act.action && approval.target === act.target);
    const isHere = name === nameOf(approval);
    return isAsked && isHere && this.#parts.clock().toISOString() < approval.until ? approval : null;
  }
}

/** A target is longer than a note's name may be. */
const nameOf = ({ action, target }: ApprovedAct): string =>
  `${PREFIX}${action}/${createHash("sha256").update(target, "utf8").digest("hex")}`;

/** @throws VaultError `vault-option-invalid` */
function requireAct({ action, target }: ApprovedAct): void {
  if (ACTION.test(action) && target !== "" && target.length <= MOST_TARGET && target.isWellFormed()) return;
  throw new VaultError("vault-option-invalid", "what is approved is an action of a-z and -, and a target");
}

const contended = (): VaultError => new VaultError("approval-contended", "Others change the approval all the time");
