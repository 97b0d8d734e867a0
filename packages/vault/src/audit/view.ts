/**
 * What is asked of the audit's log: `vault.audit`. Whoever asks for entries is in it too (`audit-read`), each page.
 */
import type { EntryId } from "../stores/outbox.ts";
import type { AuditAction, AuditResult, EntryKmsCall } from "./entry.ts";
import type { SignedStatement, Statement } from "./statements.ts";

/** A record in an event. */
export interface AuditRecord {
  /** The record's own id; null: its key is gone, or it was not known. */
  readonly id: string | null;
  readonly version: number | null;
  /** The opaque id of the person, or `collection:NAME`; null: as above. */
  readonly subject: string | null;
}

/** An entry that was opened. */
export interface AuditEvent {
  /** In the log, from 0; null: it is not in it yet. */
  readonly position: number | null;
  readonly id: EntryId;
  readonly at: string;
  readonly action: AuditAction;
  readonly result: AuditResult;
  readonly principal: string;
  readonly purpose: string | null;
  readonly ticket: string | null;
  readonly collection: string | null;
  readonly records: readonly AuditRecord[];
  /** Opaque ids of everybody that it is about. */
  readonly people: readonly string[];
  readonly kms: readonly EntryKmsCall[];
  readonly export: string | null;
  /** What an entry `principal` calls its principal; null: nothing, or its key is gone. */
  readonly label: string | null;
  readonly details: Readonly<Record<string, string | number | boolean | null>>;
}

/** What a program around the vault tells beside the action and what came of it. */
export interface ToldFacts {
  readonly collection?: string;
  /** A name for a person to read, such as a token's: 1 to 200 characters. It lies sealed. */
  readonly label?: string;
  /** Names and plain values, none of them personal. */
  readonly details?: Readonly<Record<string, string | number | boolean | null>>;
}

/** Which events. */
export interface AuditQuery {
  readonly principal?: string;
  readonly action?: AuditAction;
  readonly collection?: string;
  /** ISO 8601, UTC. */
  readonly since?: string;
  readonly until?: string;
  readonly order?: "oldest" | "newest";
  /** `next` of the page before. */
  readonly cursor?: string;
  readonly limit?: number;
}

export interface AuditPage {
  readonly events: readonly AuditEvent[];
  readonly next: string | null;
}

/** How the audit is. */
export interface AuditStatus {
  readonly history: string | null;
  /** Entries in the log. */
  readonly size: number;
  /** Base64: of the tree's root. */
  readonly root: string;
  /** Entries that wait in the outboxes, counted up to 10,000, and for how long the oldest has, in milliseconds. */
  readonly waiting: number;
  readonly waitingMs: number;
  /** The largest size that the key store knows. */
  readonly published: number;
  readonly adopted: boolean;
  readonly witnesses: readonly {
    readonly name: string;
    readonly state: "current" | "behind" | "away";
    readonly size: number;
  }[];
  /** Of this process since the vault was opened: how often readers' entries were appended, and how many they were. */
  readonly groups: { readonly appends: number; readonly entries: number };
  /** What was found wrong since the vault was opened, newest last; empty: nothing. */
  readonly alarms: readonly { readonly code: string; readonly message: string; readonly at: string }[];
  /** The verifier key of checkpoints (c2sp.org/signed-note). */
  readonly key: string;
}

/** What the whole log comes to. */
export interface LogReport {
  readonly size: number;
  readonly root: string;
  readonly forgotten: number;
  /** Each names the first entry concerned; empty: the log is whole, and goes on from each checkpoint that was given. */
  readonly problems: readonly { readonly code: string; readonly position: number | null; readonly message: string }[];
}

/** A person's access log, to be handed out. */
export interface AccessLog {
  /** The newest checkpoint: a signed note. */
  readonly checkpoint: string;
  readonly key: string;
  readonly entries: readonly {
    readonly event: AuditEvent;
    /** The entry's text, whose leaf is in the tree; null: it was forgotten. */
    readonly text: string | null;
    /** c2sp.org/tlog-proof. */
    readonly proof: string;
  }[];
}

/** The audit of a vault. */
export interface VaultAudit {
  status(): Promise<AuditStatus>;
  /** The newest signed checkpoint; null before the first. */
  checkpoint(): Promise<string | null>;
  events(query?: AuditQuery): Promise<AuditPage>;
  /**
   * Whoever read, wrote or asked for what is about somebody.
   *
   * @throws VaultError `subject-unknown`, `subject-invalid`, `tenant-invalid`
   */
  whoRead(name: string, query?: AuditQuery & { readonly tenant?: string }): Promise<AuditPage>;
  /** The same as a file with proofs: oldest first, all of it, in pieces. */
  accessLog(name: string, options?: { readonly tenant?: string; readonly since?: string }): Promise<AccessLog>;
  /** Verifies each entry against the tree, the tree against its checkpoint, and what is derived against the entries. */
  verify(options?: {
    /** Checkpoints kept elsewhere: signed notes. */
    readonly checkpoints?: readonly string[];
    readonly signal?: AbortSignal;
    readonly progress?: (done: number, of: number) => void;
  }): Promise<LogReport>;
  /**
   * One entry of what the vault does not see: a refusal of the program around it, an act of administration, the end of
   * an export, a principal's name. Durable when it resolves. @throws VaultError `audit-unavailable`
   */
  tell(action: AuditAction, result: AuditResult, facts?: ToldFacts): Promise<void>;
  /**
   * Forgets the texts of entries that are older than a moment (ISO 8601, UTC): their leaves stay in the log, and so do
   * entries that say what became of others. An entry says which ones go, and is in the log before they are gone: what
   * is taken away otherwise is found by `verify`. Answers how many went. With `signal` it ends between two steps.
   *
   * @throws VaultError `audit-unavailable`: what goes could not be said, and has not gone
   */
  forget(options: { readonly before: string; readonly signal?: AbortSignal }): Promise<number>;
  /**
   * Signs a statement for people to keep, by a key that signs nothing else; that it was signed, and what its bytes hash
   * to, is in the audit before it is given. {@link openStatement} opens it.
   *
   * @throws VaultError `audit-unavailable`, `vault-option-invalid`
   */
  sign(statement: Statement): Promise<SignedStatement>;
  /** The verifier key of statements. Keep a copy apart from the vault. */
  statementKey(): Promise<string>;
  /** Carries what waits to the log now; resolves when what waited then is in it and its checkpoint is signed. */
  sequence(): Promise<void>;
}
