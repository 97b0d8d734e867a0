import assert from "node:assert/strict";
import { test } from "node:test";
import { Validator } from "@seriousme/openapi-schema-validator";
import { EXIT_CODES } from "@strongroom/base/errors";
import { SERVER_ERRORS } from "@strongroom/server";
import { VAULT_ERRORS } from "@strongroom/vault";
import { madeConvergence } from "../../../tests/support/made-convergence.ts";
import { call } from "./support/http.ts";
import type { Answer } from "./support/http.ts";
import { installation } from "./support/installation.ts";

interface Schema {
  readonly $ref?: string;
  readonly type?: string | readonly string[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly items?: Schema;
  readonly anyOf?: readonly Schema[];
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly additionalProperties?: boolean | Schema;
}

interface Operation {
  readonly operationId: string;
  readonly summary: string;
  readonly description?: string;
  readonly security?: readonly unknown[];
  readonly parameters?: readonly {
    readonly name: string;
    readonly in: string;
    readonly required?: boolean;
    readonly description?: string;
    readonly schema: Schema;
  }[];
  readonly requestBody?: { readonly content: Readonly<Record<string, { readonly schema: Schema }>> };
  readonly responses: Readonly<
    Record<
      string,
      {
        readonly description: string;
        readonly headers?: object;
        readonly content?: Readonly<Record<string, { readonly schema: Schema }>>;
      }
    >
  >;
}

interface Document {
  readonly openapi: string;
  readonly security: readonly unknown[];
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, Schema>>; readonly securitySchemes: object };
}

const document = async (origin: string): Promise<Document> => (await call(origin, "/openapi.json")).json as Document;

test("the document is valid OpenAPI 3.1 and needs no token", async (t) => {
  const { origin } = await installation(t);
  const described = await document(origin);
  assert.equal(described.openapi, "3.1.0");
  const result = await new Validator().validate(structuredClone(described) as unknown as Record<string, unknown>);
  assert.deepEqual(result, { valid: true });
});

test("every route is described: operation, parameters, answers, headers, errors and security", async (t) => {
  const { origin } = await installation(t);
  const { paths, security, components } = await document(origin);
  assert.deepEqual(
    Object.entries(paths)
      .flatMap(([path, methods]) => Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`))
      .sort(),
    [
      "DELETE /v1/records/{collection}/{id}",
      "DELETE /v1/subjects/{id}",
      "GET /healthz",
      "GET /metrics",
      "GET /readyz",
      "GET /v1/approvals",
      "GET /v1/audit",
      "GET /v1/audit/access-log",
      "GET /v1/audit/checkpoint",
      "GET /v1/audit/status",
      "GET /v1/collections",
      "GET /v1/collections/{collection}/leakage",
      "GET /v1/erasures",
      "GET /v1/holds",
      "GET /v1/indexes",
      "GET /v1/indexes/work",
      "GET /v1/jobs",
      "GET /v1/keys/cost",
      "GET /v1/keys/inventory",
      "GET /v1/keys/plan",
      "GET /v1/keys/probe",
      "GET /v1/keys/run",
      "GET /v1/keys/run/events",
      "GET /v1/keys/run/failures",
      "GET /v1/processing",
      "GET /v1/records/{collection}",
      "GET /v1/records/{collection}/{id}",
      "GET /v1/records/{collection}/{id}/versions",
      "GET /v1/records/{collection}/{id}/versions/{version}",
      "GET /v1/regions",
      "GET /v1/regions/debt",
      "GET /v1/subjects/{id}/certificate",
      "POST /v1/approvals",
      "POST /v1/approvals/approve",
      "POST /v1/approvals/withdraw",
      "POST /v1/audit/exposure",
      "POST /v1/exports/{export}",
      "POST /v1/holds",
      "POST /v1/holds/{id}/lift",
      "POST /v1/indexes/apply",
      "POST /v1/indexes/documents",
      "POST /v1/indexes/drop",
      "POST /v1/indexes/rotate-key",
      "POST /v1/keys/run",
      "POST /v1/keys/run/cancel",
      "POST /v1/keys/run/pause",
      "POST /v1/keys/run/resume",
      "POST /v1/keys/run/undo",
      "POST /v1/records/{collection}",
      "POST /v1/records/{collection}/find",
      "POST /v1/records/{collection}/find/count",
      "POST /v1/records/{collection}/find/explain",
      "POST /v1/retention/plan",
      "POST /v1/retention/run",
      "POST /v1/subjects/consent",
      "POST /v1/subjects/consents",
      "POST /v1/subjects/erase",
      "POST /v1/subjects/export",
      "POST /v1/subjects/recipients",
      "POST /v1/subjects/rectify",
      "POST /v1/subjects/release",
      "POST /v1/subjects/restrict",
      "POST /v1/subjects/show",
      "POST /v1/subjects/{id}/holds",
      "PUT /v1/records/{collection}/{id}",
    ],
  );
  assert.deepEqual(security, [{ token: [] }]);
  assert.deepEqual(Object.keys(components.securitySchemes), ["token"]);
  const operations = Object.entries(paths).flatMap(([path, methods]) =>
    Object.values(methods).map((operation) => ({ path, operation })),
  );
  assert.equal(new Set(operations.map(({ operation }) => operation.operationId)).size, operations.length);
  for (const { path, operation } of operations) {
    const guarded = path.startsWith("/v1/");
    assert.equal(guarded, operation.security === undefined, path);
    assert.equal(guarded, /Needs the scope `(read|write|audit|admin)`/.test(operation.description ?? ""), path);
    assert.ok(operation.summary.length > 5);
    const inPath = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
    assert.deepEqual(
      (operation.parameters ?? []).filter((parameter) => parameter.in === "path").map(({ name }) => name),
      inPath,
    );
    for (const parameter of operation.parameters ?? [])
      assert.ok((parameter.description ?? "").length > 5, `${path} ${parameter.name}`);
    for (const status of guarded ? ["400", "401", "403", "500", "503"] : []) {
      assert.deepEqual(
        Object.keys(operation.responses[status]?.content ?? {}),
        ["application/problem+json"],
        `${path} ${status}`,
      );
    }
  }
  const get = paths["/v1/records/{collection}/{id}"]!["get"]!;
  assert.deepEqual(Object.keys(get.responses["200"]!.headers ?? {}), [
    "ETag",
    "Strongroom-Version",
    "Strongroom-Subject",
    "Strongroom-About",
    "Strongroom-Created-At",
    "Last-Modified",
  ]);
  assert.equal(get.responses["304"]!.content, undefined);
  const put = paths["/v1/records/{collection}/{id}"]!["put"]!;
  assert.deepEqual(
    (put.parameters ?? [])
      .filter((parameter) => parameter.in === "header")
      .map(({ name }) => name)
      .sort(),
    [
      "if-match",
      "if-none-match",
      "strongroom-about",
      "strongroom-export",
      "strongroom-purpose",
      "strongroom-repoint",
      "strongroom-subject",
      "strongroom-tenant",
      "strongroom-ticket",
    ],
  );
  assert.deepEqual(put.requestBody?.content["application/json"]?.schema, { $ref: "#/components/schemas/Document" });
  assert.equal(components.schemas["Document"]?.type, "object");
  assert.deepEqual(components.schemas["BatchRequest"]?.required, ["records"]);
  const text = JSON.stringify({ paths, components });
  for (const [, name] of text.matchAll(/"#\/components\/schemas\/(\w+)"/g))
    assert.ok(components.schemas[name!] !== undefined, name);
  for (const name of Object.keys(components.schemas))
    assert.ok(text.includes(`"#/components/schemas/${name}"`), `${name} is used`);
});

/**
 * What JSON Schema says here, and no more than these schemas use. Unknown members are refused, so that an answer holds
 * nothing that is not described.
 */
function violations(
  schemas: Readonly<Record<string, Schema>>,
  schema: Schema,
  value: unknown,
  at = "$",
): readonly string[] {
  if (schema.$ref !== undefined) return violations(schemas, schemas[schema.$ref.split("/").at(-1)!]!, value, at);
  if (schema.anyOf !== undefined)
    return schema.anyOf.some((member) => violations(schemas, member, value, at).length === 0)
      ? []
      : [`${at}: none of the alternatives`];
  const type =
    value === null ? "null" : Array.isArray(value) ? "array" : Number.isInteger(value) ? "integer" : typeof value;
  const wanted = [schema.type ?? type].flat();
  if (!wanted.includes(type) && !(type === "integer" && wanted.includes("number")))
    return [`${at}: ${type} instead of ${wanted.join("|")}`];
  if (schema.enum !== undefined && !schema.enum.includes(value)) return [`${at}: not one of the choices`];
  if (schema.const !== undefined && schema.const !== value) return [`${at}: not the constant`];
  if (Array.isArray(value))
    return value.flatMap((element, index) => violations(schemas, schema.items ?? {}, element, `${at}[${index}]`));
  if (type !== "object" || schema.properties === undefined) return [];
  const members = value as Readonly<Record<string, unknown>>;
  return [
    ...(schema.required ?? []).filter((name) => !Object.hasOwn(members, name)).map((name) => `${at}.${name}: missing`),
    ...Object.entries(members).flatMap(([name, member]) => {
      const described = schema.properties?.[name];
      return described === undefined
        ? [`${at}.${name}: not described`]
        : violations(schemas, described, member, `${at}.${name}`);
    }),
  ];
}

test("real answers are as described, member by member", async (t) => {
  const { origin, token, kms } = await installation(t, { keys: {} });
  const { paths, components } = await document(origin);
  const holds = (method: string, path: string, answer: Answer, type = "application/json"): void => {
    const schema = paths[path]?.[method]?.responses[String(answer.status)]?.content?.[type]?.schema;
    assert.ok(schema !== undefined, `${method} ${path} ${answer.status} is not described: ${answer.text}`);
    assert.deepEqual(violations(components.schemas, schema, answer.json), [], `${method} ${path} ${answer.status}`);
  };
  const record = "/v1/records/{collection}/{id}";
  const problem = "application/problem+json";
  await kms.stopRegion("eu-west-2");
  holds("put", record, await call(origin, "/v1/records/people/1", { token: token.write, body: { a: 1 } }));
  holds("put", record, await call(origin, "/v1/records/people/1", { token: token.write, body: { a: 2 } }));
  holds(
    "put",
    record,
    await call(origin, "/v1/records/people/1", { token: token.write, body: {}, headers: { "if-match": '"9"' } }),
    problem,
  );
  holds("put", record, await call(origin, "/v1/records/people/1", { token: token.read, body: {} }), problem);
  holds("get", record, await call(origin, "/v1/records/people/1", { token: token.read }));
  const about = { "strongroom-subject": "s", "strongroom-about": "t, u", "strongroom-repoint": "true" };
  holds("put", record, await call(origin, "/v1/records/people/1", { token: token.write, body: {}, headers: about }));
  holds("get", record, await call(origin, "/v1/records/people/2", { token: token.read }), problem);
  holds("get", record, await call(origin, "/v1/records/people/1"), problem);
  holds("get", `${record}/versions`, await call(origin, "/v1/records/people/1/versions", { token: token.read }));
  holds(
    "get",
    `${record}/versions/{version}`,
    await call(origin, "/v1/records/people/1/versions/1", { token: token.read }),
  );
  holds(
    "get",
    `${record}/versions/{version}`,
    await call(origin, "/v1/records/people/1/versions/x", { token: token.read }),
    problem,
  );
  const records = [
    { id: "1", document: { a: 2 } },
    { id: "2", document: {} },
    { id: "a/b", document: {} },
    { id: "1", document: { a: 3 }, subject: "s" },
    { id: "3", document: {}, subject: "s", about: ["t"], repoint: true, tenant: "acme" },
  ];
  holds(
    "post",
    "/v1/records/{collection}",
    await call(origin, "/v1/records/people", { method: "POST", token: token.admin, body: { records } }),
  );
  holds("get", "/v1/records/{collection}", await call(origin, "/v1/records/people?limit=1", { token: token.read }));
  holds("get", "/v1/collections", await call(origin, "/v1/collections", { token: token.read }));
  holds("get", "/v1/keys/cost", await call(origin, "/v1/keys/cost", { token: token.read }));
  holds("get", "/v1/regions", await call(origin, "/v1/regions", { token: token.read }));
  holds("get", "/v1/regions/debt", await call(origin, "/v1/regions/debt?limit=1", { token: token.read }));
  holds("get", "/v1/regions/debt", await call(origin, "/v1/regions/debt?cursor=x", { token: token.read }), problem);
  holds("delete", record, await call(origin, "/v1/records/people/1", { method: "DELETE", token: token.write }));
  holds("get", "/healthz", await call(origin, "/healthz"));
  holds("get", "/readyz", await call(origin, "/readyz"));
  await kms.stopRegion("eu-west-1");
  // Of somebody new: the key of who is known is in memory.
  holds("put", record, await call(origin, "/v1/records/people/new", { token: token.write, body: { a: 1 } }), problem);
  holds("get", "/readyz", await call(origin, "/readyz"));
});

test("answers about a run are as described, too", async (t) => {
  const made = madeConvergence();
  const { origin, token } = await installation(t, { front: made.front });
  const { paths, components } = await document(origin);
  const holds = async (path: string, query = "", body?: object): Promise<void> => {
    const method = body === undefined ? "get" : "post";
    const options = body === undefined ? {} : { method: "POST", body };
    const answer = await call(origin, path + query, { token: token.admin, ...options });
    const described = paths[path]?.[method]?.responses[String(answer.status)];
    const schema = described?.content?.["application/json"]?.schema;
    assert.ok(schema !== undefined, `${path} ${answer.status}: ${answer.text}`);
    assert.deepEqual(violations(components.schemas, schema, answer.json), [], path);
  };
  await holds("/v1/keys/run");
  await holds("/v1/keys/plan");
  await holds("/v1/keys/inventory");
  await holds("/v1/keys/probe", "?key=a");
  await holds("/v1/keys/run/failures");
  await holds("/v1/keys/run", "", {});
  await holds("/v1/keys/run/pause", "", { reason: "a test" });
  await holds("/v1/keys/run/resume", "", {});
  await holds("/v1/keys/run/undo", "", { reason: "a test" });
  await holds("/v1/keys/run/cancel", "", { reason: "a test" });
  for (const name of ["RunRequest", "ReasonRequest"]) assert.ok(Object.hasOwn(components.schemas, name), name);
});

test("every code has one status, and every status of the table is one that HTTP has", () => {
  for (const code of Object.keys(SERVER_ERRORS))
    assert.ok(!Object.hasOwn(VAULT_ERRORS, code), `${code} is the vault's too`);
  for (const [code, { status, outcome }] of Object.entries({ ...SERVER_ERRORS, ...VAULT_ERRORS })) {
    assert.ok(status >= 400 && status < 600, code);
    assert.ok(Object.hasOwn(EXIT_CODES, outcome), code);
  }
  for (const [code, { title, remedy }] of Object.entries(SERVER_ERRORS)) {
    assert.match(code, /^[a-z]+(-[a-z]+)*$/);
    assert.match(title, /^[A-Z].*[^.]$/, code);
    assert.match(remedy, /^[A-Z].*\.$/, code);
  }
});

test("every code that can be answered is listed with its row of the tables", async (t) => {
  const { origin } = await installation(t);
  const { components } = await document(origin);
  const { enum: codes, "x-strongroom-errors": listed } = components.schemas["ErrorCode"] as Schema & {
    readonly "x-strongroom-errors": readonly { readonly code: string }[];
  };
  assert.deepEqual(
    listed.map(({ code }) => code),
    codes,
  );
  const table = new Map<string, object>(Object.entries({ ...VAULT_ERRORS, ...SERVER_ERRORS }));
  for (const { code, ...row } of listed) assert.deepEqual(row, table.get(code), code);
  assert.deepEqual([...table.keys()].filter((code) => !codes?.includes(code)).sort(), [
    "aborted",
    "audit-foreign",
    "key-store-behind",
    "key-store-foreign",
    "key-store-lost",
    "option-invalid",
    "store-newer",
    "token-absent",
    "vault-option-invalid",
    "wraps-still-missing",
    "wraps-would-be-lost",
  ]);
});
