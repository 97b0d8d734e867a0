/**
 * What people may ask of whoever keeps their data: POST /v1/subjects/show, /export, /restrict, … A person's name is in
 * the body: URLs stand in logs. POST /v1/audit/exposure: what a principal was given. GET /v1/processing: what is
 * declared. POST /v1/retention/plan and /run.
 */
import { VaultError } from "@strongroom/vault";
import type { Rights } from "@strongroom/vault";
import type { FastifyReply, FastifyRequest } from "fastify";
import type { z } from "zod";
import type { Api, ApiContext } from "../api.ts";
import { actingOf } from "../audit/acting.ts";
import { given } from "../http/given.ts";
import type { ProblemCode } from "../http/problems.ts";
import { ACTING, BODY, NAMING, OPENING, problemAnswers, WRITING } from "../openapi/answers.ts";
import * as forms from "../openapi/rights-schemas.ts";
import { actorHeaders } from "../openapi/schemas.ts";
import type { Scope } from "../tokens/token.ts";

const PERSON = ["audit-missing", "subject-invalid", "subject-absent", "tenant-invalid", "subject-erased"] as const;
const COMMON = [...BODY, ...PERSON, ...ACTING, ...NAMING, "vault-option-invalid"] as const;

/** A route of one call. */
interface RightsRoute<Body, Answer> {
  readonly path: string;
  readonly scope: Scope;
  /** Whether the vault decides what a token with roles may, of one collection; left out: the route does. */
  readonly isDecidedByVault?: boolean;
  /** Whether it may be refused because another record has a value. */
  readonly tellsBy?: "write";
  readonly operationId: string;
  readonly summary: string;
  readonly description?: string;
  readonly body: z.ZodType<Body>;
  readonly answer: z.ZodType<Answer>;
  readonly problems: readonly ProblemCode[];
  readonly run: (rights: Rights, body: Body, request: FastifyRequest) => Promise<Answer>;
}

/** Adds the routes about people and about what was given of them. */
export function rightsRoutes(app: Api, { limits }: ApiContext): void {
  // As many as are listed here.
  /* eslint-disable no-restricted-syntax */
  const add = <Body extends object, Answer>({
    path,
    scope,
    isDecidedByVault = false,
    tellsBy,
    body,
    answer,
    problems,
    run,
    ...told
  }: RightsRoute<Body, Answer>): void => {
    app.post(
      path,
      {
        config: { scope, isDecidedByVault, ...(tellsBy !== undefined && { tellsBy }) },
        schema: {
          ...told,
          tags: ["people"],
          headers: actorHeaders,
          body,
          response: {
            200: { description: "It is done.", content: { "application/json": { schema: answer } } },
            ...problemAnswers(...COMMON, ...problems),
          },
        },
      },
      // What a route of any of these answers is of no type that Fastify can work out.
      (async (request: FastifyRequest, reply: FastifyReply) =>
        reply.send(await run(rightsOf(request), request.body as Body, request))) as never,
    );
  };
  /* eslint-enable no-restricted-syntax */
  add({
    ...{ path: "/subjects/show", scope: "read", operationId: "showPerson" },
    summary: "What is held of somebody, without content",
    body: forms.showRequest(limits.listItems),
    answer: forms.personHeld,
    problems: ["cursor-invalid", "limit-invalid"],
    run: (rights, { subject, ...options }) => rights.show(subject, given(options)),
  });
  add({
    ...{ path: "/subjects/export", scope: "read", operationId: "exportPerson" },
    summary: "Give somebody's records out, by pages",
    description:
      "The first page begins an export in the audit, with its recipient; the last one ends it. What is about others " +
      "too is named without content, unless its collection declares that it is included.",
    body: forms.exportRequest,
    answer: forms.exportAnswer,
    problems: ["recipient-invalid", "cursor-invalid", ...OPENING],
    run: (rights, { subject, recipient, ...options }, { deadline }) =>
      rights.exportPage(subject, { recipient, signal: deadline, ...given(options) }),
  });
  add({
    ...{ path: "/subjects/restrict", scope: "write", operationId: "restrictPerson" },
    summary: "Refuse reads and writes about somebody, but for named purposes",
    body: forms.restrictRequest,
    answer: forms.personState,
    problems: ["record-contended", "store-full"],
    run: async (rights, { subject, ...options }) => ({ state: await rights.restrict(subject, given(options)) }),
  });
  add({
    ...{ path: "/subjects/release", scope: "write", operationId: "releasePerson" },
    summary: "Lift a restriction",
    body: forms.personRequest,
    answer: forms.personState,
    problems: ["record-contended", "store-full"],
    run: async (rights, { subject, ...options }) => ({ state: await rights.release(subject, given(options)) }),
  });
  add({
    ...{ path: "/subjects/rectify", scope: "write", isDecidedByVault: true, operationId: "rectifyRecord" },
    tellsBy: "write",
    summary: "Correct a record of somebody",
    description: "The changes are merged (RFC 7396). It answers to whom the record was given before.",
    body: forms.rectifyRequest,
    answer: forms.rectifyAnswer,
    problems: ["record-absent", "id-invalid", "collection-invalid", "version-conflict", ...OPENING, ...WRITING],
    run: (rights, { subject, collection, id, changes, reason, ...options }, { deadline }) =>
      rights.rectify(subject, { collection, id }, changes, { reason, signal: deadline, ...given(options) }),
  });
  add({
    ...{ path: "/subjects/consent", scope: "write", isDecidedByVault: true, operationId: "setConsent" },
    summary: "Note that somebody has given, or withdrawn, a consent",
    body: forms.consentRequest,
    answer: forms.consentAnswer,
    problems: WRITING,
    run: (rights, { subject, purpose, state, ...options }) =>
      rights[state === "given" ? "consent" : "withdraw"](subject, purpose, given(options)),
  });
  add({
    ...{ path: "/subjects/consents", scope: "read", isDecidedByVault: true, operationId: "listConsents" },
    summary: "What somebody has consented to",
    body: forms.personRequest,
    answer: forms.consentsAnswer,
    problems: OPENING,
    run: async (rights, { subject, ...options }) => ({ consents: await rights.consents(subject, given(options)) }),
  });
  add({
    ...{ path: "/subjects/recipients", scope: "audit", operationId: "listRecipients" },
    summary: "To whom somebody's records were given",
    body: forms.personRequest,
    answer: forms.recipientsAnswer,
    problems: ["subject-unknown"],
    run: async (rights, { subject, ...options }) => ({ recipients: await rights.recipients(subject, given(options)) }),
  });
  add({
    ...{ path: "/audit/exposure", scope: "audit", operationId: "showExposure" },
    summary: "What a principal was given since a moment",
    description: "By the audit: what a breach of their token may have let out.",
    body: forms.exposureRequest,
    answer: forms.exposureAnswer,
    problems: ["subject-name-absent"],
    run: (rights, { principal, since, until, names }) => {
      const to = given({ until: until === undefined ? undefined : utc(until), names });
      return rights.exposure(principal, { since: utc(since), ...to });
    },
  });
}

/** Adds the report of what is declared. */
export function processingRoute(app: Api, { vault, regions }: ApiContext): void {
  app.get(
    "/processing",
    {
      config: { scope: "read", work: "none" },
      schema: {
        operationId: "showProcessing",
        summary: "What is declared of collections, as a record of processing activities",
        tags: ["people"],
        response: {
          200: { description: "As declared.", content: { "application/json": { schema: forms.processingAnswer } } },
          ...problemAnswers("audit-missing"),
        },
      },
    },
    async (_request, reply) => reply.send(requireRights(vault.rights).processing({ regions: regionNames(regions) })),
  );
}

/** Adds the routes of retention. */
export function retentionRoutes(app: Api): void {
  for (const what of ["plan", "run"] as const)
    app.post(
      `/retention/${what}`,
      {
        config: { scope: "admin" },
        schema: {
          operationId: what === "plan" ? "planRetention" : "runRetention",
          summary: what === "plan" ? "What has stayed as long as is declared" : "Remove it",
          description: "A run that its deadline ends is gone on with by the next one.",
          tags: ["people"],
          headers: actorHeaders,
          response: {
            200: { description: "The report.", content: { "application/json": { schema: forms.retentionAnswer } } },
            ...problemAnswers(...ACTING, ...OPENING, "key-set-unknown", "store-full"),
          },
        },
      },
      async (request, reply) => reply.send(await actingOf(request).retention[what]({ signal: request.deadline })),
    );
}

const regionNames = (regions: ApiContext["regions"]): readonly string[] => regions.seen().map(({ region }) => region);

const rightsOf = (request: Pick<FastifyRequest, "id">): Rights => requireRights(actingOf(request).rights);

/** @throws VaultError `audit-missing` */
function requireRights(rights: Rights | null): Rights {
  if (rights !== null) return rights;
  throw new VaultError("audit-missing", "The vault of this service has no audit");
}

/** As the audit compares moments: with its milliseconds. */
const utc = (moment: string): string => new Date(moment).toISOString();
