/**
 * The steps of an erasure, in an order in which nothing can come back between two of them: the person's row is closed
 * in the record store (from then on no process reads or writes about them), the tags go (or a unique one still answers
 * that it is taken), the keys with the name (a tombstone in the key store takes their place in the same transaction),
 * the records with all versions, what the files still hold of it; then it is said to be done. Each step does nothing
 * where it is done already, so that any process goes on from where another one stopped.
 */
import { createHash } from "node:crypto";
import type { Auditor } from "../audit/auditor.ts";
import type { AuditKeys } from "../audit/audit-keys.ts";
import { isVaultError, VaultError } from "../errors.ts";
import type { Dependencies } from "../limits.ts";
import type { Address } from "../records/address.ts";
import { Asked } from "../records/asked.ts";
import { removeRow } from "../records/write.ts";
import { presentGeneration } from "../convergence/shred-state.ts";
import type { KeySets } from "../keys/key-sets.ts";
import type { AuditLog } from "../stores/audit-log.ts";
import type { KeyStore } from "../stores/key-store.ts";
import type { SubjectId } from "../stores/subjects.ts";
import type { CertificateFacts } from "./certificate.ts";
import { signedCertificate } from "./certificates.ts";
import type { Certificates } from "./certificates.ts";
import { doneLabel, holdsByLog } from "./from-log.ts";
import { keysOf, knownFacts } from "./known-facts.ts";
import type { Ledgers } from "./ledgers.ts";
import { MOST_HOLDS } from "./person-files.ts";
import type { ErasedFacts, ErasureFile, ErasureStep, HoldFile, PersonFile, PersonFiles } from "./person-files.ts";
import { recordsOfPerson, sharedRecords } from "./shared-records.ts";

/** What erasures work with. */
export interface ErasureParts {
  /** On behalf of the vault itself. */
  readonly dependencies: Dependencies;
  readonly auditor: Auditor;
  readonly keyStore: KeyStore;
  /** Of the key store. */
  readonly keySets: KeySets;
  readonly auditKeys: AuditKeys;
  readonly files: PersonFiles;
  readonly certificates: Certificates;
  readonly ledgers: Ledgers;
  readonly settings: ErasureSettings;
  readonly log: Pick<AuditLog, "find">;
  /** Resolves when what was told is in the log. */
  readonly sequence: () => Promise<void>;
}

/** What is configured of erasures. */
export interface ErasureSettings {
  /** Whether what wraps people's keys wraps other things too. */
  readonly isShared: boolean;
  /** Milliseconds that a process keeps opened keys. */
  readonly cacheAgeMs: number;
  /** Milliseconds of the longest request of a process. */
  readonly longestRequestMs: number;
  readonly backups: CertificateFacts["backups"];
  /** Whether a hold is lifted by two principals only. */
  readonly fourEyes: boolean;
}

/** Tags that are forgotten in one call. */
const TAGS_AT_ONCE = 500;

/** Does the steps of somebody's erasure, from wherever it is. */
export class ErasureSteps {
  readonly #parts: ErasureParts;

  constructor(parts: ErasureParts) {
    this.#parts = parts;
  }

  /**
   * Goes on until it is done. Answers the certificate; null: no erasure of theirs is under way.
   *
   * @throws VaultError `subject-shared`, `subject-held`: nothing was destroyed;
   *   the stores', the audit's: it stays where it is
   */
  async finish(id: SubjectId): Promise<string | null> {
    for (;;) {
      const { erasure } = await this.#parts.files.read(id);
      if (erasure === null) return this.#parts.certificates.read(id);
      const next = await this.#do(erasure, id);
      if (next.kind === "done") return next.certificate;
      await this.#move(id, erasure, next.change);
      if (next.error !== undefined) throw next.error;
    }
  }

  async #do(erasure: ErasureFile, id: SubjectId): Promise<Next> {
    switch (erasure.step) {
      case "people":
        return this.#close(id);
      case "refused":
        return this.#open(erasure, id);
      case "tags":
        return this.#forgetTags(id);
      case "keys":
        return this.#destroyKeys(id);
      case "records":
        return this.#removeRecords(id);
      case "space":
        return this.#dropTraces();
      case "done":
        return this.#certify(erasure, id);
    }
  }

  async #close(id: SubjectId): Promise<Next> {
    const { dependencies } = this.#parts;
    const { store, subjectKeys } = dependencies;
    // A note of before they were held may have been put back: what the audit says counts besides.
    if ((await holdsInLog(this.#parts, id)).length > 0) return to("refused");
    const state = await store.subjects.setState({ id, from: ["active", "restricted"], to: "erasing" });
    // Another call has erased them between this one's look and its beginning.
    if (state === "erased" && (await this.#parts.certificates.read(id)) !== null)
      return { kind: "next", change: () => null };
    subjectKeys?.forget(id);
    // Nobody writes about them any more: what is counted now stays so.
    const shared = await sharedRecords(store, id);
    return shared > 0 ? to("refused") : to("tags");
  }

  /** Nothing was destroyed: the person is as before, and who is held has the holds in the note again. */
  async #open({ was }: ErasureFile, id: SubjectId): Promise<Next> {
    const { store } = this.#parts.dependencies;
    await store.subjects.setState({ id, from: ["erasing"], to: was });
    const holds = await holdsInLog(this.#parts, id);
    if (holds.length === 0)
      return { kind: "next", change: () => null, error: sharedError(await sharedRecords(store, id)) };
    const withHolds = (file: PersonFile): PersonFile => (file.holds.length > 0 ? file : { ...file, holds });
    await this.#parts.files.change(id, withHolds);
    return { kind: "next", change: () => null, error: heldError(holds.length) };
  }

  async #forgetTags(id: SubjectId): Promise<Next> {
    const { dependencies, settings, keyStore, keySets } = this.#parts;
    const { indexes } = dependencies.store;
    const generation = { number: await presentGeneration({ keySets }), isShared: settings.isShared };
    const facts = await knownFacts({ dependencies, keyStore, generation }, id);
    let rows: Address[] = [];
    for await (const { row } of recordsOfPerson(dependencies.store, id)) {
      rows.push(row);
      if (rows.length < TAGS_AT_ONCE) continue;
      await indexes.forget(rows);
      rows = [];
    }
    if (rows.length > 0) await indexes.forget(rows);
    return { kind: "next", change: (erasure) => ({ ...erasure, step: "keys", facts }) };
  }

  async #destroyKeys(id: SubjectId): Promise<Next> {
    const { keyStore, keySets, dependencies, ledgers } = this.#parts;
    const at = dependencies.clock().toISOString();
    // First: what fails here has said nothing to the ledger, which would be said once more with each try.
    const before = await keysOf(keyStore, id);
    await ledgers.append([{ person: id, state: "erasing", at }]);
    await keyStore.keys.erase([id], at);
    dependencies.subjectKeys?.forget(id);
    // A run may have moved their keys since the facts were looked at: under the highest they have lain, if at all.
    const present = await presentGeneration({ keySets });
    const highest = before.reduce((most, { key }) => Math.max(most, key?.generation ?? 0), present);
    const change: Change = (erasure) => ({ ...erasure, step: "records", facts: upTo(erasure.facts, highest) });
    return { kind: "next", change };
  }

  async #removeRecords(id: SubjectId): Promise<Next> {
    const { dependencies, auditor } = this.#parts;
    const { store } = dependencies;
    // What was removed is in the list no more: it is read from the beginning until there is nothing.
    for (let isAny = true; isAny;) {
      isAny = false;
      for await (const { row, isSealed } of recordsOfPerson(store, id)) {
        isAny = true;
        await this.#remove(row, { isSealed, asked: new Asked(auditor) });
      }
    }
    return to("space");
  }

  async #remove(row: Address, how: { readonly isSealed: boolean; readonly asked: Asked }): Promise<void> {
    try {
      await removeRow(this.#parts.dependencies, row, how);
    } catch (error) {
      // Another process was faster.
      if (!isVaultError(error) || error.code !== "record-absent") throw error;
    }
  }

  async #dropTraces(): Promise<Next> {
    const { dependencies, keyStore } = this.#parts;
    for (const store of [dependencies.store, keyStore]) await store.dropTraces?.();
    const doneAt = dependencies.clock().toISOString();
    return { kind: "next", change: (erasure) => ({ ...erasure, step: "done", doneAt: erasure.doneAt ?? doneAt }) };
  }

  /** What is said is the same whoever says it, and however often. */
  async #certify(erasure: ErasureFile, id: SubjectId): Promise<Next> {
    const { dependencies, auditor, files, certificates, ledgers } = this.#parts;
    await dependencies.store.subjects.setState({ id, from: ["active", "restricted", "erasing"], to: "erased" });
    const certificate = this.#certificate(erasure, id);
    const sha256 = createHash("sha256").update(certificate, "utf8").digest("base64url");
    const details = { erasure: erasure.id, reason: erasure.reason, certificate: sha256 };
    const line = { person: id, state: "erased", at: erasure.doneAt ?? erasure.begunAt } as const;
    await ledgers.append([line]);
    await auditor.tell("erase", "done", { people: [id], label: doneLabel(line), details });
    await certificates.keep(id, certificate);
    await files.change(id, (file) => (file.erasure?.id === erasure.id ? { ...file, erasure: null } : file));
    return { kind: "done", certificate };
  }

  #certificate({ id: erasure, reason, begunAt, nameCommitment, facts, ...at }: ErasureFile, person: SubjectId): string {
    const { auditKeys, settings, dependencies, keyStore } = this.#parts;
    const doneAt = at.doneAt ?? begunAt;
    const { records, keys, scopes, generation, wrappingKeys, remains } = facts ?? NOTHING_KNOWN;
    const quiet = Date.parse(doneAt) + settings.cacheAgeMs + settings.longestRequestMs;
    return signedCertificate(auditKeys, {
      ...{ erasure, stage: 1, person, nameCommitment, reason, begunAt, doneAt },
      ...{ quietAt: new Date(quiet).toISOString(), records, keys, scopes, generation, wrappingKeys },
      holdsFrom: null,
      stores: { records: dependencies.store.kind ?? "unknown", keys: keyStore.kind ?? "unknown" },
      backups: settings.backups,
      remains,
    });
  }

  /** Where another process has moved it on meanwhile, it stays where that has put it. */
  async #move(id: SubjectId, seen: ErasureFile, change: Change): Promise<void> {
    await this.#parts.files.change(id, (file) => {
      const { erasure } = file;
      if (erasure?.id !== seen.id || erasure.step !== seen.step) return file;
      return { ...file, erasure: change(erasure) };
    });
  }
}

/** What a file's erasure becomes; null: there is none any more. */
type Change = (erasure: ErasureFile) => ErasureFile | null;

type Next =
  | { readonly kind: "next"; readonly change: Change; readonly error?: VaultError }
  | { readonly kind: "done"; readonly certificate: string };

/** Whatever was known before, no lower generation than this. */
function upTo(facts: ErasedFacts | null, generation: number): ErasedFacts | null {
  if (facts === null) return null;
  const { number, isShared } = facts.generation;
  return { ...facts, generation: { number: Math.max(number, generation), isShared } };
}

const to = (step: ErasureStep): Next => ({ kind: "next", change: (erasure) => ({ ...erasure, step }) });

const NOTHING_KNOWN = {
  ...{ records: 0, keys: 0, scopes: [], wrappingKeys: [], remains: [] },
  generation: { number: 0, isShared: true },
} as const;

/** Holds that the audit says were set and not lifted, also where a note was taken away; as many as a note has. */
export async function holdsInLog(
  { log, auditKeys, sequence }: Pick<ErasureParts, "log" | "auditKeys" | "sequence">,
  id: SubjectId,
): Promise<readonly HoldFile[]> {
  await sequence();
  const known = await holdsByLog({ log, keys: auditKeys }, id);
  return [...known].map(([hold, { reason, at }]) => ({ id: hold, reason, at })).slice(0, MOST_HOLDS);
}

/** The error for somebody who is held. */
export function heldError(count: number): VaultError {
  return new VaultError(
    "subject-held",
    count === 1 ? "The person is under a hold" : `The person is under ${count} holds`,
  );
}

/** The error for somebody whose records are about others too. */
export function sharedError(records: number): VaultError {
  const are = records === 1 ? "1 record of the person is" : `${records} records of the person are`;
  return new VaultError("subject-shared", `${are} about somebody else too`);
}
