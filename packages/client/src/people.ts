/**
 * What people may ask of whoever keeps their data, and what whoever keeps it must be able to say. A person's name is in
 * the body of a request, and in no URL.
 */
import type { Answers } from "./api-types.ts";
import type { Caller, CallOptions } from "./call.ts";
import { present } from "./encoded.ts";

/** What is held of somebody: a page of their records. */
export type PersonHeld = Answers["PersonHeld"];
/** A record that is given out, or that one was left out. */
export type PersonExportItem = Answers["PersonExportPage"]["items"][number];
/** To whom somebody's records were given. */
export type PersonRecipient = Answers["PersonRecipient"];
/** What was corrected, and who is to be told. */
export type Rectified = Answers["RectifyAnswer"];
/** A consent as it is now. */
export type PersonConsent = Answers["PersonConsent"];
/** What a principal was given. */
export type Exposure = Answers["Exposure"];
/** What is declared of collections. */
export type ProcessingReport = Answers["ProcessingReport"];
/** What has stayed as long as is declared. */
export type RetentionReport = Answers["RetentionReport"];

/** Whose person it is. */
export interface PersonOptions extends CallOptions {
  readonly tenant?: string | undefined;
}

/** The rights of people. Every method throws ClientError. */
export interface People {
  /** What is held of somebody, without content. Throws `subject-absent`. Needs the scope `read`. */
  show(
    subject: string,
    options?: PersonOptions & { readonly cursor?: string | undefined; readonly limit?: number | undefined },
  ): Promise<PersonHeld>;
  /**
   * Gives somebody's records out, page by page; the audit has to whom. It is complete when the loop has ended. Needs
   * the scope `read`.
   */
  export(
    subject: string,
    options: PersonOptions & { readonly recipient: string; readonly versions?: "newest" | "all" | undefined },
  ): AsyncIterable<{ readonly export: string; readonly items: readonly PersonExportItem[] }>;
  /** Refuses reads and writes about somebody, but for these purposes. Needs the scope `write`, as what follows. */
  restrict(
    subject: string,
    options?: PersonOptions & { readonly except?: readonly string[] | undefined },
  ): Promise<Answers["PersonState"]>;
  release(subject: string, options?: PersonOptions): Promise<Answers["PersonState"]>;
  /** Corrects a record of somebody: the changes are merged (RFC 7396). */
  rectify(
    subject: string,
    record: { readonly collection: string; readonly id: string },
    changes: Readonly<Record<string, unknown>>,
    options: PersonOptions & { readonly reason: string },
  ): Promise<Rectified>;
  /** Notes that somebody has given a consent, or withdrawn it. */
  setConsent(
    subject: string,
    consent: {
      readonly purpose: string;
      readonly state: "given" | "withdrawn";
      readonly evidence?: string | undefined;
    },
    options?: PersonOptions,
  ): Promise<PersonConsent>;
  /** What somebody has consented to. Needs the scope `read`. */
  consents(subject: string, options?: PersonOptions): Promise<readonly PersonConsent[]>;
  /** To whom somebody's records were given, oldest first. Needs the scope `audit`. */
  recipients(subject: string, options?: PersonOptions): Promise<readonly PersonRecipient[]>;
  /** What a principal was given since a moment. Needs the scope `audit`. */
  exposure(
    principal: string,
    options: CallOptions & {
      readonly since: string;
      readonly until?: string | undefined;
      readonly names?: boolean | undefined;
    },
  ): Promise<Exposure>;
  /** What is declared of collections. Needs the scope `read`. */
  processing(options?: CallOptions): Promise<ProcessingReport>;
  /** What retention would remove now, or removes. Needs the scope `admin`. */
  planRetention(options?: CallOptions): Promise<RetentionReport>;
  runRetention(options?: CallOptions): Promise<RetentionReport>;
}

/** The calls about people. */
export function peopleOf({ answer }: Caller): People {
  return {
    show: (subject, options = {}) => {
      const { tenant, cursor, limit } = options;
      const body = { subject, ...present({ tenant, cursor, limit }) };
      return answer("PersonHeld", options, (http, init) => http.POST("/v1/subjects/show", { ...init, body }));
    },
    export: async function* (subject, options) {
      const { tenant, recipient, versions } = options;
      for (let cursor: string | null | undefined; cursor !== null;) {
        const body = { subject, recipient, ...present({ tenant, versions, cursor }) };
        // A page is told in the audit before it is given: it is not asked for twice.
        const ask = (): Promise<Answers["PersonExportPage"]> =>
          answer(
            "PersonExportPage",
            options,
            (http, init) => http.POST("/v1/subjects/export", { ...init, body }),
            "writes",
          );
        const { next, ...page } = await ask();
        yield page;
        cursor = next;
      }
    },
    restrict: (subject, options = {}) => {
      const { tenant, except } = options;
      const body = { subject, ...present({ tenant, except: except === undefined ? undefined : [...except] }) };
      return answer(
        "PersonState",
        options,
        (http, init) => http.POST("/v1/subjects/restrict", { ...init, body }),
        "writes",
      );
    },
    release: (subject, options = {}) => {
      const body = { subject, ...present({ tenant: options.tenant }) };
      return answer(
        "PersonState",
        options,
        (http, init) => http.POST("/v1/subjects/release", { ...init, body }),
        "writes",
      );
    },
    rectify: (subject, { collection, id }, changes, options) => {
      const { tenant, reason } = options;
      const body = { subject, collection, id, reason, changes, ...present({ tenant }) };
      return answer(
        "RectifyAnswer",
        options,
        (http, init) => http.POST("/v1/subjects/rectify", { ...init, body: body as never }),
        "writes",
      );
    },
    setConsent: (subject, { purpose, state, evidence }, options = {}) => {
      const body = { subject, purpose, state, ...present({ tenant: options.tenant, evidence }) };
      return answer(
        "PersonConsent",
        options,
        (http, init) => http.POST("/v1/subjects/consent", { ...init, body }),
        "writes",
      );
    },
    consents: async (subject, options = {}) => {
      const body = { subject, ...present({ tenant: options.tenant }) };
      return (
        await answer("PersonConsents", options, (http, init) => http.POST("/v1/subjects/consents", { ...init, body }))
      ).consents;
    },
    recipients: async (subject, options = {}) => {
      const body = { subject, ...present({ tenant: options.tenant }) };
      return (
        await answer("PersonRecipients", options, (http, init) =>
          http.POST("/v1/subjects/recipients", { ...init, body }),
        )
      ).recipients;
    },
    exposure: (principal, options) => {
      const { since, until, names } = options;
      const body = { principal, since, ...present({ until, names }) };
      return answer("Exposure", options, (http, init) => http.POST("/v1/audit/exposure", { ...init, body }));
    },
    processing: (options = {}) => answer("ProcessingReport", options, (http, init) => http.GET("/v1/processing", init)),
    planRetention: (options = {}) =>
      answer("RetentionReport", options, (http, init) => http.POST("/v1/retention/plan", init)),
    runRetention: (options = {}) =>
      answer("RetentionReport", options, (http, init) => http.POST("/v1/retention/run", init), "writes"),
  };
}
