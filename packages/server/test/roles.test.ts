/**
 * Roles over HTTP, against a service of real parts: for every mask and every role the raw value is in nothing that
 * leaves, and nothing else about an answer tells of what is masked.
 */
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, test } from "node:test";
import type { TestContext } from "node:test";
import type { FieldOptions, JsonObject, MaskKind, RolesOptions } from "@strongroom/vault";
import { email } from "@strongroom/vault/normalisers";
import { call } from "./support/http.ts";
import type { Answer, CallOptions } from "./support/http.ts";
import { installation } from "./support/installation.ts";
import type { Installation } from "./support/installation.ts";

/** Mask -> a raw value, and what is shown of it. */
const MASKS: Readonly<Record<MaskKind, readonly [raw: string, shown: RegExp]>> = {
  redact: ["raw-redacted-value", /^•••$/],
  last4: ["raw-last-four-9876", /^•••9876$/],
  card: ["4111 1111 1111 1111", /^•••1111$/],
  iban: ["DE89 3704 0044 0532 0130 00", /^DE•••3000$/],
  email: ["raw.address@example.com", /^r•••@example\.com$/],
  phone: ["+49 30 12345678", /^•••78$/],
  name: ["Rawname Rawfamily", /^R\. R\.$/],
  hash: ["raw-hashed-value", /^hash:[\w-]{22}$/],
};
const KINDS = Object.keys(MASKS) as readonly MaskKind[];
const RECORD: JsonObject = {
  ...Object.fromEntries(KINDS.map((kind) => [kind, MASKS[kind][0]])),
  plan: "free",
  undeclared: "raw-undeclared-value",
  nested: { secret: "raw-nested-value", open: "shown" },
  list: [{ secret: "raw-listed-value", kind: "work" }],
  unique: "raw.unique@example.com",
};
/** Whatever of the record is nobody's to see who sees masks. */
const RAW: readonly string[] = [
  ...KINDS.map((kind) => MASKS[kind][0]),
  ...["raw-undeclared-value", "raw-nested-value", "raw-listed-value", "raw.unique@example.com"],
  ...["4111111111111111", "DE89370400440532013000", "Rawfamily", "raw.address"],
];
const FIELDS: Readonly<Record<string, FieldOptions>> = {
  ...Object.fromEntries(KINDS.map((mask) => [mask, { mask }])),
  "nested.secret": {},
  "list.secret": {},
  unique: { find: email(), unique: true },
};

/** A role for each mask that sees that one field, masked or in clear; and roles that see and write several. */
const ROLES: RolesOptions = {
  ...Object.fromEntries(
    KINDS.flatMap((kind) => [
      [`masked-${kind}`, { grants: [{ collection: "people", fields: [kind], actions: ["read:masked"] }] }],
      [`clear-${kind}`, { grants: [{ collection: "people", fields: [kind], actions: ["read"] }] }],
    ]),
  ),
  masked: { tokens: ["helpdesk"], grants: [{ collection: "people", fields: ["*"], actions: ["read:masked"] }] },
  mixed: {
    grants: [
      { collection: "people", fields: ["plan", "nested.open", "list.kind"], actions: ["read"] },
      { collection: "people", fields: ["*"], actions: ["read:masked"] },
      { collection: "people", fields: ["plan", "email", "name"], actions: ["write"] },
    ],
  },
  editor: {
    grants: [
      { collection: "people", fields: ["*"], actions: ["read:masked", "write"] },
      { collection: "people", fields: ["plan"], actions: ["read"], purposes: ["billing"] },
    ],
  },
  nobody: { grants: [{ collection: "orders", fields: ["*"], actions: ["read"] }] },
  keeper: { grants: [{ collection: "*", actions: ["keys", "audit"] }] },
};

const PERSON = "raw.subject@example.com";
const AT = "/v1/records/people/1";

interface Service extends Installation {
  readonly tokenOf: (role: string) => string;
  readonly ask: (role: string, path: string, options?: CallOptions) => Promise<Answer>;
}

async function service(t: TestContext): Promise<Service> {
  const made = await installation(t, {
    ...{ keys: {}, isAudited: true, roles: ROLES },
    declared: { people: { fields: FIELDS } },
  });
  await made.vault.put({ collection: "people", id: "1" }, RECORD, { subject: PERSON });
  const tokens = new Map<string, string>();
  for (const role of Object.keys(ROLES))
    tokens.set(role, (await made.tokens.create({ name: `of ${role}`, scopes: [], roles: [role] })).token);
  tokens.set("label", (await made.tokens.create({ name: "helpdesk", scopes: [], roles: ["nobody"] })).token);
  for (const [scope, token] of Object.entries(made.token)) tokens.set(scope, token);
  const tokenOf = (role: string): string => tokens.get(role) ?? "";
  const ask = (role: string, path: string, options: CallOptions = {}): Promise<Answer> =>
    call(made.origin, path, { ...options, token: tokenOf(role) });
  return { ...made, tokenOf, ask };
}

/** Everything of an answer that its client sees. */
const bytesOf = ({ status, headers, text }: Answer): string => `${status} ${JSON.stringify(headers)} ${text}`;

/** Requests of somebody who wants to know more. */
const ATTACKS: readonly (readonly [path: string, options?: CallOptions])[] = [
  [AT],
  [AT, { method: "HEAD" }],
  [`${AT}/versions`],
  [`${AT}/versions/1`],
  [`${AT}/versions/9`],
  [`${AT}?fields=${KINDS.join(",")}`],
  ...[...KINDS, "plan", "undeclared", "nested", "nested.secret", "list.secret", "list", "unique"].map(
    (field) => [`${AT}?fields=${field}`] as const,
  ),
  ...[
    "__proto__",
    "constructor",
    "toString",
    "list.0.secret",
    "list[0].secret",
    "еmail",
    "email%00",
    "*",
    "",
    ".",
    ",",
  ].map((field) => [`${AT}?fields=${encodeURIComponent(field)}`] as const),
  [`${AT}?fields=plan&fields=email`],
  [`${AT}?fields=plan,plan`],
  [`${AT}?fields=${Array.from({ length: 1_500 }, (_, n) => `f${n}`).join(",")}`],
  [`${AT}?fields[]=email`],
  [AT, { headers: { "if-none-match": '"1"' } }],
  [AT, { headers: { "if-match": '"7"' } }],
  [AT, { headers: { "if-none-match": `"${MASKS.email[0]}"` } }],
  ["/v1/records/people"],
  ["/v1/records/people/absent"],
  ["/v1/collections"],
  ["/v1/audit"],
  ["/v1/audit", { headers: { "strongroom-subject": encodeURIComponent(PERSON) } }],
  ["/v1/regions/debt"],
  ["/v1/jobs"],
  [AT, { method: "PUT", body: RECORD }],
  [AT, { method: "PUT", body: { unique: MASKS.email[0] } }],
  [AT, { method: "PUT", body: { email: "r•••@example.com" } }],
  [AT, { method: "PUT", body: {}, headers: { "strongroom-subject": "somebody.else" } }],
  [AT, { method: "PUT", body: {}, headers: { "if-match": '"7"' } }],
  ["/v1/records/people", { method: "POST", body: { records: [{ id: "1", document: RECORD }] } }],
  ["/v1/records/people", { method: "POST", body: { records: [{ id: "1", document: {} }], onExisting: "keep" } }],
];

describe("for every mask and every role", () => {
  test("the raw value is in no answer, log line, metric or entry of the audit", async (t) => {
    const made = await service(t);
    const blind = Object.keys(ROLES).filter((role) => !role.startsWith("clear-") && role !== "keeper");
    for (const role of [...blind, "label"])
      for (const [path, options] of ATTACKS) {
        const answer = await made.ask(role, path, options);
        assert.ok(answer.status < 500, `${role} ${path} ${answer.text}`);
        const text = bytesOf(answer);
        for (const raw of [...RAW, PERSON, encodeURIComponent(PERSON)])
          assert.ok(!text.includes(raw), `${role}: ${options?.method ?? "GET"} ${path} tells ${raw}: ${text}`);
      }
    for (const kind of KINDS) {
      const answer = await made.ask(`clear-${kind}`, AT);
      assert.deepEqual(answer.json, { [kind]: MASKS[kind][0] });
    }
    const metrics = await call(made.origin, "/metrics");
    const audit = await made.ask("admin", "/v1/audit?limit=500");
    const stored = await readFile(join(made.folder, "audit.sqlite"), "latin1");
    const kept = await readFile(made.database, "latin1");
    assert.ok(audit.json.events.length > 50);
    for (const [what, text] of Object.entries({
      log: made.log(),
      metrics: metrics.text,
      audit: audit.text,
      stored,
      kept,
    }))
      for (const raw of RAW) assert.ok(!text.includes(raw), `${what} has ${raw}`);
  });

  test("masked it is shown as its mask says, and alone; to whoever may see it, in clear", async (t) => {
    const { ask } = await service(t);
    for (const kind of KINDS) {
      const masked = await ask(`masked-${kind}`, AT);
      assert.deepEqual(Object.keys(masked.json as object), [kind]);
      assert.match(String(masked.json[kind]), MASKS[kind][1], kind);
    }
    const { json } = await ask("masked", AT);
    assert.deepEqual(Object.keys(json as object), [...KINDS, "list", "nested", "unique"].sort());
    assert.deepEqual([json.list, json.nested, json.unique], [{ secret: "•••" }, { secret: "•••" }, "•••"]);
    assert.deepEqual((await ask("label", AT)).json, json);
    const mixed = (await ask("mixed", AT)).json;
    assert.deepEqual(mixed.list, [{ kind: "work", secret: "•••" }]);
    assert.deepEqual(mixed.nested, { open: "shown", secret: "•••" });
    assert.equal(mixed.plan, "free");
    assert.equal((await ask("editor", `${AT}?fields=plan`)).json.code, "field-forbidden");
    const billing = { headers: { "strongroom-purpose": "billing" } };
    assert.equal((await ask("editor", `${AT}?fields=plan`, billing)).json.plan, "free");
  });
});

test("tokens with scopes are answered as ever, and a token with neither scope nor rule is refused at the door", async (t) => {
  const { ask } = await service(t);
  const read = await ask("read", AT);
  assert.deepEqual(read.json, RECORD);
  assert.equal(decodeURIComponent(String(read.headers["strongroom-subject"])), PERSON);
  assert.equal((await ask("write", AT)).json.code, "scope-missing");
  assert.equal((await ask("nobody", AT)).json.code, "scope-missing");
  assert.equal((await ask("nobody", "/v1/records/orders/1")).json.code, "record-absent");
  assert.equal((await ask("nobody", "/v1/audit")).json.code, "scope-missing");
  assert.equal((await ask("keeper", AT)).json.code, "scope-missing");
  assert.equal((await ask("keeper", "/v1/audit")).status, 200);
  assert.equal((await ask("keeper", "/v1/keys/cost")).status, 200);
  assert.equal((await ask("keeper", "/v1/regions/debt")).json.code, "scope-missing");
  const { json } = await ask("read", `${AT}?fields=plan,nested.open`);
  assert.deepEqual(json, { nested: { open: "shown" }, plan: "free" });
});

test("what is masked tells nothing by its length, its type, its presence or its place", async (t) => {
  const { ask, vault } = await service(t);
  const others: readonly JsonObject[] = [
    {},
    { redact: "" },
    { redact: "x".repeat(10_000) },
    { redact: 7, undeclared: "y".repeat(5_000) },
    { redact: null },
    { redact: { a: 1 }, nested: { secret: [1, 2] } },
    { redact: [1, 2, 3], list: [{ secret: 1 }, { secret: 2 }] },
    { zzz: 1, redact: true, aaa: 2 },
  ];
  const seen = new Set<string>();
  for (const [index, document] of others.entries()) {
    await vault.put({ collection: "people", id: `n${index}` }, document);
    const { status, headers, text } = await ask("masked-redact", `/v1/records/people/n${index}`);
    const told = Object.entries(headers).filter(
      ([name]) => !/^(?:date|request-id|last-modified|strongroom-created-at)$/.test(name),
    );
    seen.add(JSON.stringify([status, told, text]));
  }
  assert.equal(seen.size, 1, [...seen].join("\n"));
});

test("the entity tag is that of the version, whatever is seen of it, and says nothing of what is in it", async (t) => {
  const { ask, vault } = await service(t);
  const where = { collection: "people", id: "1" };
  const etags = async (): Promise<readonly unknown[]> =>
    Promise.all(
      ["read", "masked", "mixed"].flatMap((role) =>
        ["", "?fields=name"].map(async (query) => (await ask(role, AT + query)).headers.etag),
      ),
    );
  assert.deepEqual(new Set(await etags()), new Set(['"1"']));
  await vault.put(where, RECORD, { subject: PERSON });
  assert.deepEqual(new Set(await etags()), new Set(['"2"']), "a write of the same makes a version");
  for (const role of ["read", "masked"]) {
    assert.equal((await ask(role, AT, { headers: { "if-none-match": '"2"' } })).status, 304);
    const conflict = await ask(role, AT, { headers: { "if-match": '"1"' } });
    assert.deepEqual([conflict.status, conflict.json.code, conflict.json.currentVersion], [412, "version-conflict", 2]);
  }
  // Of a field that may not be seen, nothing is told by a condition either.
  const asked = await ask("masked-name", `${AT}?fields=email`, { headers: { "if-none-match": '"2"' } });
  assert.deepEqual([asked.status, asked.json.code], [403, "field-forbidden"]);
});

test("a write over HTTP sets what may be written, keeps the rest, and is no oracle of what is taken", async (t) => {
  const { ask, vault } = await service(t);
  const put = (role: string, body: JsonObject): Promise<Answer> => ask(role, AT, { method: "PUT", body });
  const { json } = await ask("mixed", AT);
  const shown = Object.fromEntries(Object.entries(json as JsonObject).filter(([name]) => name !== "unique"));
  const written = await put("mixed", { ...shown, plan: "paid" });
  assert.equal(written.status, 200, written.text);
  assert.ok(!("subject" in written.json));
  const stored = async (): Promise<JsonObject> => (await vault.get({ collection: "people", id: "1" })).document;
  assert.deepEqual(await stored(), { ...RECORD, plan: "paid" });
  assert.equal((await put("mixed", { ssn: 1 })).json.code, "field-forbidden");
  assert.equal((await put("mixed", { email: "x•••@example.com" })).json.code, "value-masked");
  assert.equal((await put("mixed", { name: "Q. Q." })).json.code, "value-masked");
  assert.equal((await put("masked", { plan: "x" })).json.code, "not-permitted");
  await vault.put({ collection: "people", id: "2" }, { unique: "taken@example.com" });
  for (const role of ["write", "editor"])
    for (const unique of ["taken@example.com", "free@example.com"]) {
      const { status, json: refusal } = await ask(role, "/v1/records/people/3", { method: "PUT", body: { unique } });
      assert.deepEqual([status, (refusal as { code: string }).code], [403, "field-forbidden"], role);
    }
  assert.equal((await ask("editor", AT, { method: "DELETE" })).status, 200);
});

test("roles of a token are those of the file and of the policy at that moment", async (t) => {
  const { origin, tokens } = await service(t);
  const { token, identity } = await tokens.create({ name: "helpdesk", scopes: [], roles: ["nobody", "gone"] });
  assert.equal((await call(origin, AT, { token })).status, 200, "by its label");
  await tokens.revoke(identity.id);
  assert.equal((await call(origin, AT, { token })).status, 401);
  const other = await tokens.create({ name: "x", scopes: [], roles: ["gone"] });
  assert.equal((await call(origin, AT, { token: other.token })).json.code, "scope-missing");
  await assert.rejects(tokens.create({ name: "x", scopes: [], roles: [] }));
  await assert.rejects(tokens.create({ name: "x", scopes: [], roles: ["Not a role"] }));
});
