// The generated sources of @strongroom/client, made from the OpenAPI document that the server serves: its types, and
// the tables of errors and of answers' forms that the client checks by. So neither is written a second time.
import { randomBytes } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import openapiTypes, { astToString, type OpenAPI3 } from "openapi-typescript";
import { rawAesKeyring } from "@strongroom/envelope";
import { createServer, fileTokens } from "@strongroom/server";
import { openVault } from "@strongroom/vault";
import { sqliteStore } from "@strongroom/vault/sqlite";

/** What the document says of an error code, as `x-strongroom-errors` lists it. */
interface ErrorRow {
  readonly code: string;
  readonly title: string;
  readonly remedy: string;
  readonly outcome: string;
  readonly status: number;
}

type Schema = Readonly<Record<string, unknown>>;

interface Document {
  readonly components: { readonly schemas: Readonly<Record<string, Schema>> };
}

const MARK = `// Made by \`npm run client:generate\` from the server's OpenAPI document; not to be changed by hand.\n`;

/** openapi-typescript's own read-only types are more than openapi-fetch understands. */
const ANSWERS = `
type Immutable<Value> = Value extends object ? { readonly [Name in keyof Value]: Immutable<Value[Name]> } : Value;

/** The schemas by name, for reading only. */
export type Answers = Immutable<components["schemas"]>;
`;

/** File name in packages/client/src -> its text. */
export async function clientSources(): Promise<Readonly<Record<string, string>>> {
  const document = await openApiDocument();
  const types = await openapiTypes(document as unknown as OpenAPI3);
  return { "api-types.ts": MARK + astToString(types) + ANSWERS, "api-tables.ts": MARK + tables(document) };
}

/** From a server in this process; no port is opened. */
async function openApiDocument(): Promise<Document> {
  const folder = await mkdtemp(join(tmpdir(), "strongroom-openapi-"));
  try {
    const keyring = rawAesKeyring({ keyNamespace: "openapi", keyName: "none", wrappingKey: randomBytes(32) });
    const vault = await openVault({ store: await sqliteStore(join(folder, "vault.sqlite")), keyring });
    const tokens = await fileTokens(join(folder, "tokens.json"));
    const server = await createServer({ vault, tokens, regions: { minimum: 0, health: () => [] } });
    const answer = await server.inject("/openapi.json");
    await server.close();
    await vault.close();
    return answer.json<Document>();
  } finally {
    await rm(folder, { recursive: true });
  }
}

function tables({ components: { schemas } }: Document): string {
  const { ErrorCode: { "x-strongroom-errors": rows } = {}, BatchRequest, Document, ...answers } = schemas;
  if (rows === undefined || BatchRequest === undefined || Document === undefined)
    throw new Error("the OpenAPI document does not describe errors, batches or documents as it did");
  const errors = Object.fromEntries((rows as readonly ErrorRow[]).map(({ code, ...row }) => [code, row]));
  const forms = { ErrorCode: { type: "string" }, ...Object.fromEntries(Object.entries(answers).map(withForm)) };
  return [
    'import type { Answers } from "./api-types.ts";',
    "",
    "/** What an error code means, what to do, how a command ends with it, and the status of the service's answer. */",
    "export interface ErrorRow {",
    "  readonly title: string;",
    "  readonly remedy: string;",
    `  readonly outcome: ${[...new Set((rows as readonly ErrorRow[]).map(({ outcome }) => JSON.stringify(outcome)))].sort().join(" | ")};`,
    "  readonly status: number;",
    "}",
    "",
    "/** The errors that the service answers with. */",
    `export const SERVICE_ERRORS: Readonly<Record<Answers["ErrorCode"], ErrorRow>> = ${oneLineEach(errors)};`,
    "",
    "/** The forms of answers (JSON Schema). More members than these are let be: a newer service may say more. */",
    `export const ANSWER_FORMS: Readonly<Record<string, object>> = ${oneLineEach(forms)};`,
    "",
  ].join("\n");
}

function oneLineEach(members: Readonly<Record<string, unknown>>): string {
  const lines = Object.entries(members).map(([name, value]) => `  ${JSON.stringify(name)}: ${JSON.stringify(value)},`);
  return ["{", ...lines, "}"].join("\n");
}

/** Keywords that the client checks. The others explain, or would refuse what a newer service says. */
const CHECKED: ReadonlySet<string> = new Set(["$ref", "type", "enum", "const", "required", "anyOf"]);

function withForm([name, schema]: [string, Schema]): [string, unknown] {
  return [name, form(schema)];
}

function form(schema: Schema): unknown {
  const { properties, items, additionalProperties: values, anyOf } = schema;
  return {
    ...Object.fromEntries(Object.entries(schema).filter(([keyword]) => CHECKED.has(keyword))),
    ...(properties === undefined
      ? {}
      : { properties: Object.fromEntries(Object.entries(properties as Record<string, Schema>).map(withForm)) }),
    ...(items === undefined ? {} : { items: form(items as Schema) }),
    ...(typeof values === "object" ? { additionalProperties: form(values as Schema) } : {}),
    ...(anyOf === undefined ? {} : { anyOf: (anyOf as readonly Schema[]).map(form) }),
  };
}
