/**
 * The OpenAPI 3.1 document at /openapi.json, made from the routes themselves.
 */
import swagger from "@fastify/swagger";
import type { FastifyDynamicSwaggerOptions } from "@fastify/swagger";
import { jsonSchemaTransform, jsonSchemaTransformObject } from "fastify-type-provider-zod";
import type { Api } from "../api.ts";
import type { AnswerHeaders } from "./answers.ts";

const TOKEN = "token";

const ABOUT: NonNullable<Extract<FastifyDynamicSwaggerOptions, { openapi?: unknown }>["openapi"]> = {
  openapi: "3.1.0",
  info: {
    title: "Strongroom",
    version: "1",
    description:
      "Records of personal data, each version one encrypted message whose key is wrapped in several KMS regions. " +
      "Errors are problem documents (RFC 9457); `code` is stable. Every answer has a `Request-Id` that is also in " +
      "the service's log.",
    license: { name: "Apache-2.0", identifier: "Apache-2.0" },
  },
  tags: [
    { name: "records", description: "One record at a time." },
    { name: "versions", description: "What a record was before." },
    { name: "collections", description: "Many records." },
    { name: "audit", description: "Who did what, and proofs of it." },
    { name: "people", description: "What people may ask of whoever keeps their data." },
    { name: "keys", description: "What is stored beside the keys that are declared, and runs that bring it there." },
    { name: "indexes", description: "What records are found by, and what that tells whoever has the database." },
    { name: "approvals", description: "What one principal asks for and another one approves." },
    { name: "erasure", description: "Erasures of people, their certificates, and legal holds." },
    { name: "service", description: "The service itself." },
  ],
  components: {
    securitySchemes: {
      [TOKEN]: {
        type: "http",
        scheme: "bearer",
        description: "`srt_` and 43 characters. Scopes: read, write, audit, admin; admin includes all others.",
      },
    },
  },
  security: [{ [TOKEN]: [] }],
};

export async function describeApi(app: Api): Promise<void> {
  await app.register(swagger, { openapi: ABOUT, transform: withAnswerHeaders, transformObject: withOneSchemaEach });
}

export function openApiRoute(app: Api): void {
  app.get("/openapi.json", { config: { work: "none" }, schema: { hide: true } }, async (_request, reply) =>
    reply.send(app.swagger()),
  );
}

type Transform = NonNullable<FastifyDynamicSwaggerOptions["transform"]>;

/**
 * The zod provider keeps a description and a content of each answer; headers are put back here. Security: the scope is
 * said in words, bearer tokens have no list of scopes.
 */
const withAnswerHeaders: Transform = (route) => {
  const { schema, url } = jsonSchemaTransform(route);
  const { answerHeaders, ...rest } = schema as typeof schema & {
    answerHeaders?: Readonly<Record<string, AnswerHeaders>>;
  };
  const { scope } = route.route.config ?? {};
  const description = [rest.description, scope === undefined ? undefined : `Needs the scope \`${scope}\`.`]
    .filter((part) => part !== undefined)
    .join(" ");
  const response = Object.fromEntries(
    Object.entries((rest.response ?? {}) as Record<string, object>).map(([status, answer]) => [
      status,
      answerHeaders?.[status] === undefined ? answer : { ...answer, headers: answerHeaders[status] },
    ]),
  );
  return { schema: { ...rest, description, response }, url };
};

/** Schemas that only requests use: what a client may leave out is optional in them. */
const REQUESTS: ReadonlySet<string> = new Set([
  "BatchRequest",
  "ExportEnd",
  "RunRequest",
  "ReasonRequest",
  "ApprovalRequest",
  "FindRequest",
  "CountFoundRequest",
  "ExplainFindRequest",
  "IndexApplyRequest",
  "IndexDropRequest",
  "EraseRequest",
  "ErasureReason",
]);

type TransformObject = NonNullable<FastifyDynamicSwaggerOptions["transformObject"]>;

/** The zod provider gives each schema twice, as input and as output. A reader wants one. */
const withOneSchemaEach: TransformObject = (given) => {
  const described = jsonSchemaTransformObject(given) as {
    readonly components?: { readonly schemas?: Readonly<Record<string, object>> };
  };
  const schemas = described.components?.schemas ?? {};
  const kept = Object.keys(schemas).filter((name) => !name.endsWith("Input"));
  const merged = {
    ...described,
    components: {
      ...described.components,
      schemas: Object.fromEntries(kept.map((name) => [name, schemas[REQUESTS.has(name) ? `${name}Input` : name]])),
    },
  };
  return JSON.parse(
    JSON.stringify(merged).replaceAll(/("#\/components\/schemas\/\w+)Input"/g, '$1"'),
  ) as ReturnType<TransformObject>;
};
