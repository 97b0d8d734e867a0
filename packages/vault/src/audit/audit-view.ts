/**
 * What is asked of the audit's log on behalf of one caller (view.ts), who is in it too: an entry says so before
 * anything is shown that is about a person or a principal.
 */
import { VaultError } from "../errors.ts";
import type { AuditLog } from "../stores/audit-log.ts";
import type { SubjectId } from "../stores/subjects.ts";
import { accessLog } from "./access-log.ts";
import type { AuditKeys } from "./audit-keys.ts";
import type { ActFacts, Auditor } from "./auditor.ts";
import type { AuditAction, AuditResult } from "./entry.ts";
import { sha256 } from "./key-derivation.ts";
import { forgetOlder } from "./forgetting.ts";
import type { ForgettingParts } from "./forgetting.ts";
import { eventPage, requireQuery } from "./queries.ts";
import { StatementSigner } from "./statements.ts";
import type { SignedStatement, Statement } from "./statements.ts";
import type { VerifyLogOptions } from "./verify-log.ts";
import type { AccessLog, AuditPage, AuditQuery, AuditStatus, LogReport, ToldFacts, VaultAudit } from "./view.ts";

/** What a view is of. */
export interface ViewParts {
  readonly log: AuditLog;
  readonly keys: AuditKeys;
  readonly auditor: Auditor;
  /** Whose name it is; null: nobody's. @throws VaultError `subject-invalid`, `tenant-invalid` */
  readonly findPerson: (name: string, tenant: string | undefined) => Promise<SubjectId | null>;
  readonly status: () => Promise<AuditStatus>;
  readonly sequence: () => Promise<void>;
  /** Something was found wrong. */
  readonly alarm: (code: string, message: string) => void;
  /** With the checkpoints that the key store and the witnesses have. */
  readonly verify: (options: Omit<VerifyLogOptions, "key">) => Promise<LogReport>;
  /** Carries what waits to the log, but waits for it only a moment: what is asked is answered from the log. */
  readonly settle: () => Promise<void>;
  /** The verifier key of a history. */
  readonly vkeyOf: (history: string) => string;
}

/** The audit for one caller. */
export class AuditView implements VaultAudit {
  readonly #parts: ViewParts;

  constructor(parts: ViewParts) {
    this.#parts = parts;
  }

  status(): Promise<AuditStatus> {
    return this.#parts.status();
  }

  async checkpoint(): Promise<string | null> {
    return (await this.#parts.log.state()).checkpoint;
  }

  async events(query: AuditQuery = {}): Promise<AuditPage> {
    const { principal } = query;
    requireQuery(query);
    await this.#told("done", query, principal === undefined ? {} : { details: { principal } });
    return eventPage(this.#parts, query);
  }

  async whoRead(
    name: string,
    { tenant, ...query }: AuditQuery & { readonly tenant?: string } = {},
  ): Promise<AuditPage> {
    requireQuery(query);
    const people = await this.#keysOf(name, tenant, query);
    return eventPage(this.#parts, query, people);
  }

  async accessLog(
    name: string,
    { tenant, since }: { readonly tenant?: string; readonly since?: string } = {},
  ): Promise<AccessLog> {
    const { log, vkeyOf } = this.#parts;
    const people = await this.#keysOf(name, tenant, {});
    const { history, size, checkpoint: note } = await log.state();
    if (history === null || note === null)
      throw new VaultError("audit-unavailable", "Nothing is in the audit's log yet: no checkpoint was signed");
    return accessLog({ ...this.#parts, head: { note, size, vkey: vkeyOf(history) } }, people, since);
  }

  verify(options: Omit<VerifyLogOptions, "key"> = {}): Promise<LogReport> {
    return this.#parts.verify(options);
  }

  tell(action: AuditAction, result: AuditResult, facts: ToldFacts = {}): Promise<void> {
    return this.#parts.auditor.tell(action, result, facts);
  }

  forget(options: { readonly before: string; readonly signal?: AbortSignal }): Promise<number> {
    const { log, auditor, sequence, alarm } = this.#parts;
    const tell: ForgettingParts["tell"] = (action, result, facts) => auditor.tell(action, result, facts);
    return forgetOlder({ log, tell, sequence, alarm }, options);
  }

  async sign(statement: Statement): Promise<SignedStatement> {
    const { auditor } = this.#parts;
    const signed = this.#statementSigner().sign(statement);
    const hash = sha256(Buffer.from(signed.note, "utf8")).toString("base64url");
    await auditor.tell("statement", "done", { details: { kind: statement.kind, sha256: hash } });
    return signed;
  }

  statementKey(): Promise<string> {
    return Promise.resolve(this.#statementSigner().key);
  }

  sequence(): Promise<void> {
    return this.#parts.sequence();
  }

  #statementSigner(): StatementSigner {
    const { keys } = this.#parts;
    using seed = keys.statementSeed();
    return new StatementSigner(keys.vault, Buffer.from(seed.bytes));
  }

  /** Versions of a person's audit key: by them entries are found. @throws VaultError `subject-unknown` */
  async #keysOf(
    name: string,
    tenant: string | undefined,
    query: Pick<AuditQuery, "cursor">,
  ): Promise<readonly string[]> {
    const { keys, findPerson } = this.#parts;
    const id = await findPerson(name, tenant);
    if (id === null) {
      // Who tries names learns which are known here.
      await this.#told("subject-unknown", query, {});
      throw new VaultError("subject-unknown", "Nobody has that name here");
    }
    await this.#told("done", query, { people: [id] });
    return keys.versionsOf(`person:${id}`);
  }

  /** Each page is told, or whoever makes up a cursor reads on unseen. Only the first waits for what is on its way. */
  async #told(result: AuditResult, { cursor }: Pick<AuditQuery, "cursor">, facts: ActFacts): Promise<void> {
    await this.#parts.auditor.tell("audit-read", result, facts);
    if (cursor === undefined) await this.#parts.settle();
  }
}
