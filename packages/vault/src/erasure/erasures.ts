/**
 * Erasures and legal holds of a vault, as a caller asks for them: `vault.erasure`.
 */
import type { Approvals } from "../approvals/approvals.ts";
import type { WhoseOptions } from "./whose.ts";
import type { DescribeWrappingKey, SecondStage } from "./second-stage.ts";
import type { SubjectId } from "../stores/subjects.ts";
import type { ErasureStep, HoldFile } from "./person-files.ts";

/** Why somebody is erased. */
export interface EraseOptions extends WhoseOptions {
  /** A code of 1 to 64 characters of `a-z0-9.-`: it stays in the audit and in the certificate, in clear. */
  readonly reason: string;
}

/** Why a hold is set, or lifted. */
export interface HoldOptions extends WhoseOptions {
  /** A code, as of an erasure. */
  readonly reason: string;
}

/** What became of an erasure. */
export interface ErasureResult {
  /**
   * `erased`: rows and keys are gone, and the certificate says what remains. `erasing`: it is half done, will go on by
   * itself, and is not to be taken for done.
   */
  readonly state: "erased" | "erasing";
  /** The opaque id. */
  readonly person: SubjectId;
  /** A UUID; null: of an earlier erasure whose certificate is gone. */
  readonly erasure: string | null;
  /** What is done next; null: nothing. */
  readonly step: ErasureStep | null;
  /** The code of the error that it stopped at for now; null: at none. */
  readonly problem: string | null;
  /** A signed note; null: it is not done. */
  readonly certificate: string | null;
  /** The verifier key of certificates. Keep a copy apart from the vault. */
  readonly key: string;
  /**
   * Base64url of 32 bytes, by which the person shows that the certificate is theirs: for them alone, and kept nowhere.
   * Null: the erasure was begun by another call.
   */
  readonly salt: string | null;
}

/** A legal hold. */
export interface Hold extends HoldFile {
  readonly person: SubjectId;
}

/** An erasure that is not done. */
export interface ErasureUnderWay {
  readonly person: SubjectId;
  readonly erasure: string;
  readonly reason: string;
  readonly begunAt: string;
  readonly step: ErasureStep;
}

/** Erasures and holds, on behalf of one caller. */
export interface Erasures {
  /**
   * Erases somebody: closes their row in all processes, then destroys tags, keys and records, in this order, and signs
   * a certificate. It goes on in the background, in any process of the vault with a repair, when it is stopped in
   * between.
   *
   * @param who the name; or the opaque id, where the name is gone already
   * @throws VaultError `subject-absent`, `subject-held`, `subject-shared`, `reason-invalid`, `subject-invalid`,
   *   `tenant-invalid`, `audit-unavailable`; the stores', before it has begun
   * @example
   * ```ts
   * import { randomBytes } from "node:crypto";
   * import { rawAesKeyring } from "@strongroom/envelope";
   * import { openVault, verifyCertificate } from "@strongroom/vault";
   * import { memoryAuditLog, memoryKeyStore, memoryStore } from "@strongroom/vault/memory";
   *
   * await using vault = await openVault({
   *   store: memoryStore(),
   *   keyring: rawAesKeyring({ keyNamespace: "example", keyName: "local", wrappingKey: randomBytes(32) }),
   *   keys: { store: memoryKeyStore() },
   *   audit: { log: memoryAuditLog() },
   * });
   * await vault.put({ collection: "people", id: "1" }, { name: "Ada" }, { subject: "ada@example.com" });
   * const erased = await vault.erasure?.erase("ada@example.com", { reason: "art-17" });
   * const { facts } = verifyCertificate(erased?.certificate ?? "", erased?.key ?? "");
   * console.log(erased?.state, facts.records); // prints: erased 1
   * console.log(await vault.subjects.state("ada@example.com")); // prints: null
   * ```
   */
  erase(who: string | { readonly person: SubjectId }, options: EraseOptions): Promise<ErasureResult>;
  /** Erasures that were begun and are not done, in no order. */
  underWay(): Promise<readonly ErasureUnderWay[]>;
  /** Goes on with all that are not done. Answers those that are done now. @throws VaultError the first's that fails */
  resume(): Promise<readonly SubjectId[]>;
  /** The certificate of somebody. @throws VaultError `certificate-absent` */
  certificate(person: SubjectId): Promise<string>;
  /**
   * What an erasure has come to by now: asks the provider of every wrapping key that the key store had up to the
   * erasure's shredding generation what has become of it. Once all of them are gone, it signs a certificate of the
   * second stage; before, it says what old backups open still, and by which keys.
   *
   * @throws VaultError `certificate-absent`, `key-set-unknown`, `audit-unavailable`; the stores'; what `describe`
   *   throws
   * @example
   * ```ts
   * import { randomBytes } from "node:crypto";
   * import { rawAesKeyring } from "@strongroom/envelope";
   * import { openVault } from "@strongroom/vault";
   * import { memoryAuditLog, memoryKeyStore, memoryStore } from "@strongroom/vault/memory";
   *
   * const keyring = (keyName: string) =>
   *   rawAesKeyring({ keyNamespace: "example", keyName, wrappingKey: randomBytes(32) });
   * await using vault = await openVault({
   *   store: memoryStore(),
   *   keyring: keyring("records"),
   *   keys: { store: memoryKeyStore(), keyring: keyring("people-1"), keySet: ["people-1"] },
   *   audit: { log: memoryAuditLog() },
   * });
   * await vault.put({ collection: "people", id: "1" }, { name: "Ada" }, { subject: "ada@example.com" });
   * const erased = await vault.erasure?.erase("ada@example.com", { reason: "art-17" });
   * if (erased === undefined) throw new Error("The vault has an audit, so it can erase");
   * const inUse = () => Promise.resolve({ state: "in-use", deletionAt: null } as const);
   * const after = await vault.erasure?.secondStage(erased.person, inUse);
   * console.log(after?.certificate, after?.recoverable.map(({ what }) => what)); // prints: null [ 'name', 'messages' ]
   * ```
   */
  secondStage(person: SubjectId, describe: DescribeWrappingKey): Promise<SecondStage>;
  /** The verifier key of certificates. */
  certificateKey(): Promise<string>;
  /**
   * Holds what is stored about somebody against erasure, retention and shredding, until it is lifted. Of somebody who
   * is not known yet it holds for what comes.
   *
   * @throws VaultError `subject-erased`: it comes too late; `hold-refused`, `reason-invalid`
   */
  hold(who: string | { readonly person: SubjectId }, options: HoldOptions): Promise<Hold>;
  /**
   * Lifts a hold. Where four eyes are configured, another principal must have approved it (`lift-hold`, the hold's id).
   *
   * @throws VaultError `hold-absent`, `approval-missing`, `reason-invalid`
   */
  liftHold(hold: string, options: Pick<HoldOptions, "reason" | "ticket">): Promise<Hold>;
  /** Holds that were not lifted, in no order. */
  holds(): Promise<readonly Hold[]>;
  /** Whoever is held: for what must leave them alone, as retention and shredding. */
  heldPeople(): Promise<ReadonlySet<SubjectId>>;
  /** The ledger as the stores have it now, line by line: what a restore must not bring back. */
  ledger(): AsyncIterable<string>;
}

/** What four eyes are asked of. */
export type HoldApprovals = Pick<Approvals, "require" | "withdraw">;
