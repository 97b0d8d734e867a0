/**
 * Erasures and holds on behalf of one caller (erasures.ts). That one begins is a compare-and-swap of the person's note,
 * in which holds stand too: of a hold and an erasure that come at the same time one wins, whole.
 */
import { createHash, randomBytes, randomUUID } from "node:crypto";
import type { Auditor } from "../audit/auditor.ts";
import { isVaultError, VaultError } from "../errors.ts";
import type { SubjectKeys } from "../keys/subject-keys.ts";
import { asking } from "../records/asked.ts";
import type { Asked } from "../records/asked.ts";
import { subjectClosed } from "../records/people.ts";
import type { SubjectId, SubjectRow } from "../stores/subjects.ts";
import { isSubjectId } from "../stores/subjects.ts";
import { madeKnown } from "../subjects/subjects.ts";
import { nameCommitment, verifyCertificate } from "./certificate.ts";
import { signedCertificate } from "./certificates.ts";
import type {
  EraseOptions,
  Erasures,
  ErasureResult,
  ErasureUnderWay,
  Hold,
  HoldApprovals,
  HoldOptions,
} from "./erasures.ts";
import { doneLabel } from "./from-log.ts";
import type { LedgerLine } from "./ledger.ts";
import { MOST_HOLDS } from "./person-files.ts";
import type { ErasureFile, HoldFile, PersonFile } from "./person-files.ts";
import { secondStage } from "./second-stage.ts";
import type { DescribeWrappingKey, SecondStage } from "./second-stage.ts";
import { sharedRecords } from "./shared-records.ts";
import { heldError, holdsInLog, sharedError } from "./steps.ts";
import type { ErasureParts, ErasureSteps } from "./steps.ts";
import { namedOf, personOf, requireReason } from "./whose.ts";
import type { FoundPerson } from "./whose.ts";

/** What a caller's erasures work with. */
export interface ActingErasureParts extends ErasureParts {
  readonly subjectKeys: SubjectKeys;
  readonly steps: ErasureSteps;
  /** Something is left to do. */
  readonly wake: () => void;
}

type Who = string | { readonly person: SubjectId };

const SALT_BYTES = 32;
/** Rows that the ledger reads at a time. */
const PAGE = 1_000;

export class ActingErasures implements Erasures {
  readonly #parts: ActingErasureParts;
  /** The caller's. */
  readonly #auditor: Auditor;
  readonly #approvals: () => HoldApprovals | null;

  constructor(parts: ActingErasureParts, auditor: Auditor, approvals: () => HoldApprovals | null) {
    this.#parts = parts;
    this.#auditor = auditor;
    this.#approvals = approvals;
  }

  erase(who: Who, { reason, tenant, ticket }: EraseOptions): Promise<ErasureResult> {
    const auditor = this.#for(ticket);
    return asking(auditor, "erase", async (asked) => {
      requireReason(reason);
      await this.#parts.dependencies.keys.requireWriter();
      const found = await personOf(this.#parts.dependencies, this.#parts, who, tenant);
      if (found === null) throw new VaultError("subject-absent", "Nobody who was written about has that name");
      const { id } = found;
      asked.isAbout([id]);
      const salt = randomBytes(SALT_BYTES);
      const { erasure } = await this.#parts.files.read(id);
      const begun = erasure ?? (await this.#begin(found, { reason, salt, auditor }));
      const own = begun === null || erasure !== null ? null : { erasure: begun.id, salt: salt.toString("base64url") };
      return this.#finished(id, own);
    });
  }

  async underWay(): Promise<readonly ErasureUnderWay[]> {
    const files = await this.#parts.files.list();
    return [...files].flatMap(([person, { erasure }]) => {
      if (erasure === null) return [];
      const { id, reason, begunAt, step } = erasure;
      return [{ person, erasure: id, reason, begunAt, step }];
    });
  }

  async resume(): Promise<readonly SubjectId[]> {
    const done: SubjectId[] = [];
    for (const { person } of await this.underWay())
      if ((await this.#parts.steps.finish(person)) !== null) done.push(person);
    return done;
  }

  async certificate(person: SubjectId): Promise<string> {
    const found = isSubjectId(person) ? await this.#parts.certificates.read(person) : null;
    if (found === null) throw new VaultError("certificate-absent", "There is no certificate of the person");
    return found;
  }

  async secondStage(person: SubjectId, describe: DescribeWrappingKey): Promise<SecondStage> {
    const { keyStore, keySets, auditKeys, dependencies, certificates } = this.#parts;
    const { key } = certificates;
    const first = verifyCertificate(await this.certificate(person), key);
    const { clock } = dependencies;
    const { facts, ...found } = await secondStage({ keyStore, keySets, clock }, first.facts, describe);
    const certificate = facts === null ? null : signedCertificate(auditKeys, facts);
    if (certificate !== null) {
      const sha256 = createHash("sha256").update(certificate, "utf8").digest("base64url");
      const details = { does: "certify", erasure: first.facts.erasure, certificate: sha256 };
      await this.#auditor.tell("shred", "done", { people: [person], details });
    }
    return { ...found, certificate, key };
  }

  certificateKey(): Promise<string> {
    return Promise.resolve(this.#parts.certificates.key);
  }

  hold(who: Who, { reason, tenant, ticket }: HoldOptions): Promise<Hold> {
    const auditor = this.#for(ticket);
    return asking(auditor, "hold", async (asked) => {
      requireReason(reason);
      await this.#parts.dependencies.keys.requireWriter();
      const { id: person, row } = await this.#held(who, tenant, asked);
      asked.isAbout([person]);
      if (isGone(row)) throw subjectClosed("erased");
      const hold = { id: randomUUID(), reason, at: this.#parts.dependencies.clock().toISOString() };
      const line = { person, state: "held", at: hold.at, hold: hold.id, reason } as const;
      await this.#told(auditor, "hold", line, () => this.#set(person, hold));
      return { person, ...hold };
    });
  }

  liftHold(hold: string, { reason, ticket }: Pick<HoldOptions, "reason" | "ticket">): Promise<Hold> {
    const auditor = this.#for(ticket);
    return asking(auditor, "lift-hold", async (asked) => {
      requireReason(reason);
      const { settings, files } = this.#parts;
      const found = (await this.holds()).find(({ id }) => id === hold);
      if (found === undefined) throw new VaultError("hold-absent", "There is no hold of that id");
      asked.isAbout([found.person]);
      const approvals = settings.fourEyes ? this.#approvals() : null;
      const act = { action: "lift-hold", target: hold };
      if (settings.fourEyes) {
        if (approvals === null) throw new VaultError("approval-missing", "Nobody can approve it in this vault");
        await approvals.require(act);
      }
      const at = this.#parts.dependencies.clock().toISOString();
      const line = { person: found.person, state: "lifted", at, hold, reason } as const;
      await this.#told(auditor, "lift-hold", line, () => files.change(found.person, (file) => without(file, hold)));
      await approvals?.withdraw(act);
      return found;
    });
  }

  async holds(): Promise<readonly Hold[]> {
    const files = await this.#parts.files.list();
    return [...files].flatMap(([person, { holds }]) => holds.map((hold) => ({ person, ...hold })));
  }

  async heldPeople(): Promise<ReadonlySet<SubjectId>> {
    return new Set((await this.holds()).map(({ person }) => person));
  }

  async *ledger(): AsyncGenerator<string> {
    const { dependencies, files, certificates } = this.#parts;
    const at = dependencies.clock().toISOString();
    const lineOf = (line: LedgerLine): string => JSON.stringify(line);
    const told = new Set<SubjectId>();
    for (let after: SubjectId | null = null; ;) {
      const rows: readonly SubjectRow[] = await dependencies.store.subjects.list({ after, limit: PAGE });
      for (const { id, state } of rows) {
        if (state === "active") continue;
        told.add(id);
        yield lineOf({ person: id, state, at });
      }
      after = rows.at(-1)?.id ?? null;
      if (rows.length < PAGE) break;
    }
    // Of whom the records were set back to before they were known.
    for (const person of await certificates.people())
      if (!told.has(person)) yield lineOf({ person, state: "erased", at });
    for (const [person, { holds }] of await files.list())
      for (const { id, reason, at: since } of holds)
        yield lineOf({ person, state: "held", at: since, hold: id, reason });
  }

  /** The caller's audit, for another ticket. */
  #for(ticket: string | undefined): Auditor {
    return ticket === undefined ? this.#auditor : this.#auditor.as({ ...this.#auditor.actor, ticket });
  }

  /** Null: it was done before, or another call has begun it meanwhile. */
  async #begin(
    { id, row, named }: FoundPerson,
    { reason, salt, auditor }: { readonly reason: string; readonly salt: Buffer; readonly auditor: Auditor },
  ): Promise<ErasureFile | null> {
    const { dependencies, files, certificates, auditKeys } = this.#parts;
    if (row?.state === "erased" && (await certificates.read(id)) !== null) return null;
    await this.#requireNotHeld(id);
    // Asked once more when nobody can write about them any more: here, so that nobody is closed in vain.
    const shared = await sharedRecords(dependencies.store, id);
    if (shared > 0 && row?.state !== "erased") throw sharedError(shared);
    const erasure: ErasureFile = {
      ...{ id: randomUUID(), reason, begunAt: dependencies.clock().toISOString(), step: "people" },
      was: row?.state === "restricted" ? "restricted" : "active",
      nameCommitment: named === null ? null : nameCommitment(salt, { vault: auditKeys.vault, ...named }),
      ...{ facts: null, doneAt: null },
    };
    await auditor.tell("erase", "begun", { people: [id], details: { erasure: erasure.id, reason } });
    const file = await files.change(id, (found) => {
      if (found.holds.length > 0) throw heldError(found.holds.length);
      return found.erasure === null ? { ...found, erasure } : found;
    });
    return file.erasure?.id === erasure.id ? erasure : null;
  }

  /** What the audit says counts besides: a hold is not lifted by taking its note away. */
  async #requireNotHeld(id: SubjectId): Promise<void> {
    const { files } = this.#parts;
    const { holds } = await files.read(id);
    if (holds.length > 0) throw heldError(holds.length);
    const found = await holdsInLog(this.#parts, id);
    if (found.length === 0) return;
    await files.change(id, (file) =>
      file.holds.length > 0 || file.erasure !== null ? file : { ...file, holds: found },
    );
    throw heldError(found.length);
  }

  /** @param own the erasure that this call may have begun, and the salt of its certificate */
  async #finished(
    person: SubjectId,
    own: { readonly erasure: string; readonly salt: string } | null,
  ): Promise<ErasureResult> {
    const { steps, files, certificates, wake } = this.#parts;
    const { key } = certificates;
    const saltOf = (erasure: string | null): string | null =>
      own !== null && own.erasure === erasure ? own.salt : null;
    try {
      const certificate = await steps.finish(person);
      const erasure = certificate === null ? null : verifyCertificate(certificate, key).facts.erasure;
      const salt = saltOf(erasure);
      return { state: "erased", person, erasure, step: null, problem: null, certificate, key, salt };
    } catch (error) {
      if (!isVaultError(error) || error.code === "subject-shared" || error.code === "subject-held") throw error;
      wake();
      const { erasure } = await files.read(person).catch((): PersonFile => ({ holds: [], erasure: null }));
      const [id, step] = [erasure?.id ?? null, erasure?.step ?? null];
      const salt = saltOf(id);
      return { state: "erasing", person, erasure: id, step, problem: error.code, certificate: null, key, salt };
    }
  }

  async #set(person: SubjectId, hold: HoldFile): Promise<void> {
    const { files, dependencies } = this.#parts;
    await files.change(person, (file) => {
      if (file.erasure !== null) throw subjectClosed("erasing");
      if (file.holds.length >= MOST_HOLDS)
        throw new VaultError("hold-refused", `The person has ${MOST_HOLDS} holds already`);
      return { ...file, holds: [...file.holds, hold] };
    });
    // There may have been no note because an erasure had ended just before.
    const [row = null] = await dependencies.store.subjects.get([person]);
    if (!isGone(row)) return;
    await files.change(person, (file) => without(file, hold.id));
    throw subjectClosed("erased");
  }

  /** Whom a hold is about: made known where nobody has that name yet. */
  async #held(who: Who, tenant: string | undefined, asked: Asked): Promise<Pick<FoundPerson, "id" | "row">> {
    const { dependencies, subjectKeys } = this.#parts;
    const found = await personOf(dependencies, this.#parts, who, tenant);
    if (found !== null) return found;
    if (typeof who !== "string") throw new VaultError("subject-absent", "Nobody has that opaque id");
    const id = await madeKnown(subjectKeys, { ...namedOf(who, tenant), signal: undefined });
    await asked.tellKeysMade();
    return { id, row: null };
  }

  /** An entry before the change, and one after it, which alone says that it was made. */
  async #told(
    auditor: Auditor,
    action: "hold" | "lift-hold",
    line: Extract<LedgerLine, { readonly hold: string }>,
    change: () => Promise<unknown>,
  ): Promise<void> {
    const facts = { people: [line.person], details: { hold: line.hold, reason: line.reason } };
    await auditor.tell(action, "begun", facts);
    await change();
    await this.#parts.ledgers.append([line]);
    await auditor.tell(action, "done", { ...facts, label: doneLabel(line) });
  }
}

const isGone = (row: SubjectRow | null): boolean => row?.state === "erasing" || row?.state === "erased";

const without = (file: PersonFile, hold: string): PersonFile => ({
  ...file,
  holds: file.holds.filter(({ id }) => id !== hold),
});
