/**
 * What people may ask of whoever keeps their data (articles 15 to 21 of the GDPR), and what whoever keeps it must be
 * able to say (30, 33): `vault.rights`. Each call is told in the audit, whatever it comes to.
 */
import { VaultError } from "../errors.ts";
import { CONSENTS } from "../records/address.ts";
import type { AddressInput } from "../records/address.ts";
import { asking } from "../records/asked.ts";
import type { Asked } from "../records/asked.ts";
import { copyOfDocument } from "../records/document.ts";
import type { JsonObject } from "../records/document.ts";
import type { ListOptions } from "../records/pages.ts";
import { parseWritable } from "../records/writable.ts";
import type { Action } from "../roles/policy.ts";
import { named } from "../subjects/subjects.ts";
import type { SubjectOptions, Subjects } from "../subjects/subjects.ts";
import type { AuditAction } from "../audit/entry.ts";
import { consentsOf, parseConsent, setConsent } from "./consents.ts";
import type { Consent, ConsentOptions } from "./consents.ts";
import { exposureOf } from "./exposure.ts";
import type { Exposure, ExposureOptions } from "./exposure.ts";
import { heldOf } from "./held.ts";
import type { PersonHeld } from "./held.ts";
import type { RightsParts } from "./parts.ts";
import { exportPage, exportPerson, parseRecipient } from "./person-export.ts";
import type { PersonExportItem, PersonExportOptions, PersonExportPage } from "./person-export.ts";
import { processingReport } from "./processing-report.ts";
import type { ProcessingReport } from "./processing-report.ts";
import { recipientsOf } from "./recipients.ts";
import type { Recipient } from "./recipients.ts";
import { parseReason, rectify } from "./rectify.ts";
import type { Rectified, RectifyOptions } from "./rectify.ts";

/** Which page of what is held of somebody. */
export interface ShowOptions extends SubjectOptions, ListOptions {}

/** The rights of the people of a vault with an audit, by the names that callers give them. */
export interface Rights {
  /**
   * What is held of somebody, without any content, by pages of their records; also of who is restricted.
   *
   * @throws VaultError `subject-absent`, `subject-erased`, `cursor-invalid`, `limit-invalid`
   * @example
   * ```ts
   * import { randomBytes } from "node:crypto";
   * import { rawAesKeyring } from "@strongroom/envelope";
   * import { openVault } from "@strongroom/vault";
   * import { memoryAuditLog, memoryKeyStore, memoryStore } from "@strongroom/vault/memory";
   *
   * const keyring = rawAesKeyring({ keyNamespace: "example", keyName: "local", wrappingKey: randomBytes(32) });
   * await using vault = await openVault({
   *   store: memoryStore(),
   *   keyring,
   *   keys: { store: memoryKeyStore() },
   *   audit: { log: memoryAuditLog() },
   * });
   * await vault.put({ collection: "people", id: "1" }, { name: "Ada" }, { subject: "ada@example.com" });
   * const { state, records } = await vault.rights!.show("ada@example.com");
   * console.log(state, records.map(({ collection, id }) => `${collection}/${id}`)); // prints: active [ 'people/1' ]
   * ```
   */
  show(name: string, options?: ShowOptions): Promise<PersonHeld>;
  /**
   * Gives somebody's records out, one after the other, and last what they come to: without that last item it is not
   * complete. What it costs hangs on this person's records only. No purpose has to be said; of who is restricted, one
   * for which they may be read. What an earlier version of Strongroom wrote is not among them until it is written
   * again.
   *
   * @throws VaultError `recipient-invalid`, `subject-absent`, `subject-restricted`, `subject-erased`, `aborted`: also
   *   in the middle; what reading throws that is not wrong with one record
   * @example
   * ```ts
   * import { randomBytes } from "node:crypto";
   * import { rawAesKeyring } from "@strongroom/envelope";
   * import { openVault } from "@strongroom/vault";
   * import { memoryAuditLog, memoryKeyStore, memoryStore } from "@strongroom/vault/memory";
   *
   * const keyring = rawAesKeyring({ keyNamespace: "example", keyName: "local", wrappingKey: randomBytes(32) });
   * await using vault = await openVault({
   *   store: memoryStore(),
   *   keyring,
   *   keys: { store: memoryKeyStore() },
   *   audit: { log: memoryAuditLog() },
   * });
   * await vault.put({ collection: "people", id: "1" }, { name: "Ada" }, { subject: "ada@example.com" });
   * for await (const item of vault.rights!.export("ada@example.com", { recipient: "Ada herself" }))
   *   if (item.kind === "record") console.log(item.collection, item.document["name"]); // prints: people Ada
   * ```
   */
  export(name: string, options: PersonExportOptions): AsyncIterable<PersonExportItem>;
  /**
   * The same by pages, for whoever hands it on over a connection of their own. The first page begins the export and the
   * last one ends it; of one that is left nobody says that it ended. Each page names the same recipient.
   *
   * @throws VaultError `cursor-invalid`, and as `export` does
   */
  exportPage(
    name: string,
    options: PersonExportOptions & { readonly cursor?: string | undefined },
  ): Promise<PersonExportPage>;
  /** As `vault.subjects.restrict`, which says what it does. */
  readonly restrict: Subjects["restrict"];
  /** As `vault.subjects.release`. */
  readonly release: Subjects["release"];
  /**
   * Corrects a record of somebody: a new version with these changes, merged as RFC 7396 does it. Answers who was given
   * the record before, and is to be told.
   *
   * @throws VaultError `record-absent`: there is none, or it is about somebody else; `subject-absent`,
   *   `vault-option-invalid`; what `get` and `put` throw
   */
  rectify(name: string, address: AddressInput, changes: JsonObject, options: RectifyOptions): Promise<Rectified>;
  /** Notes that somebody has given their consent to a purpose. @throws VaultError as `put` does */
  consent(name: string, purpose: string, options?: ConsentOptions): Promise<Consent>;
  /**
   * Notes that somebody has withdrawn it, or never gave it. Once it resolves nothing is released for this purpose by
   * any process, where a collection declares that it needs one; what was released before was.
   *
   * @throws VaultError as `put` does
   */
  withdraw(name: string, purpose: string, options?: ConsentOptions): Promise<Consent>;
  /** What somebody has consented to, and what no longer. @throws VaultError `subject-absent`, `subject-restricted` */
  consents(name: string, options?: SubjectOptions): Promise<readonly Consent[]>;
  /**
   * To whom somebody's records were given, by the audit, oldest first.
   *
   * @throws VaultError `subject-unknown`
   */
  recipients(name: string, options?: Pick<SubjectOptions, "tenant">): Promise<readonly Recipient[]>;
  /** What a principal was given since a moment. @throws VaultError `vault-option-invalid`, `audit-unavailable` */
  exposure(principal: string, options: ExposureOptions): Promise<Exposure>;
  /** What is declared, as the record of processing activities has it. */
  processing(options?: { readonly regions?: readonly string[] }): ProcessingReport;
}

/** How the options of these calls are read. */
export interface RightsOptionReaders {
  readonly subject: (given: unknown) => SubjectOptions;
  readonly subjectList: (given: unknown) => ShowOptions;
  readonly personExport: (given: unknown) => PersonExportOptions;
  readonly rectify: (given: unknown) => RectifyOptions;
  readonly consent: (given: unknown) => ConsentOptions;
  readonly exposure: (given: unknown) => ExposureOptions;
}

/** `vault.rights` on behalf of one caller. */
export function rightsOf(
  parts: RightsParts,
  subjects: Pick<Subjects, "restrict" | "release">,
  read: RightsOptionReaders,
): Rights {
  const ask = <Result>(action: AuditAction, work: (asked: Asked) => Promise<Result>): Promise<Result> =>
    asking(parts.audit, action, work);
  const may = (actions: readonly Action[]): Promise<void> =>
    asking(parts.audit, "audit-read", () => {
      for (const action of actions) parts.access.requireAction(action);
      return Promise.resolve();
    });
  const setTo =
    (state: Consent["state"]) =>
    (name: string, purpose: string, options: ConsentOptions = {}) =>
      ask("consent", async (asked) => {
        parts.access.requireWholeWrite(CONSENTS, []);
        const { evidence, ...of } = read.consent(options);
        return setConsent(parts, named(name, of), { ...parseConsent(purpose, evidence), state }, asked);
      });
  return {
    restrict: subjects.restrict,
    release: subjects.release,
    show: (name, options = {}) =>
      ask("person-shown", async (asked) => {
        parts.access.requireAction("read");
        const { cursor, limit, ...of } = read.subjectList(options);
        const page = { ...(cursor === undefined ? {} : { cursor }), ...(limit === undefined ? {} : { limit }) };
        return heldOf(parts, named(name, of), page, asked);
      }),
    export: (name, options) => {
      const { recipient, versions = "newest", ...of } = read.personExport(options);
      return exportPerson(parts, named(name, of), { recipient: parseRecipient(recipient), versions });
    },
    exportPage: async (name, { cursor, ...options }) => {
      const { recipient, versions = "newest", ...of } = read.personExport(options);
      return exportPage(parts, named(name, of), { recipient: parseRecipient(recipient), versions, cursor });
    },
    rectify: (name, address, changes, options) =>
      ask("rectify", async (asked) => {
        const { reason, ...of } = read.rectify(options);
        const corrected = { address: parseWritable(address), changes: copyOfDocument(changes, parts.limits) };
        parts.access.requireWholeWrite(corrected.address.collection, [corrected.changes]);
        return rectify(parts, named(name, of), { ...corrected, reason: parseReason(reason) }, asked);
      }),
    consent: setTo("given"),
    withdraw: setTo("withdrawn"),
    consents: (name, options = {}) =>
      ask("consent", async (asked) => {
        parts.access.requireWhole(CONSENTS);
        return consentsOf(parts, named(name, read.subject(options)), asked);
      }),
    recipients: async (name, options = {}) => {
      const { tenant } = read.subject(options);
      await may(["audit"]);
      return recipientsOf(parts.view, name, tenant === undefined ? {} : { tenant });
    },
    exposure: async (principal, options) => {
      const given = read.exposure(options);
      await may(given.names === true ? ["audit", "read"] : ["audit"]);
      if (typeof given.since !== "string") throw new VaultError("vault-option-invalid", "since is a moment");
      const found = await exposureOf(parts.view, principal, given, parts.subjectKeys);
      // Who learns names learns who is held here.
      if (given.names === true)
        await parts.audit.tell("people-listed", "done", { details: { people: found.people.length } });
      return found;
    },
    processing: ({ regions = [] } = {}) => {
      parts.access.requireAny(["read", "audit"]);
      return processingReport(parts.declarations, { at: parts.clock(), regions });
    },
  };
}
