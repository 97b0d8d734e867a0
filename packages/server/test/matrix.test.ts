/** Every route with every method that Node knows, every token, and the headers that change what a request means. */
import assert from "node:assert/strict";
import { METHODS } from "node:http";
import { connect } from "node:net";
import { test } from "node:test";
import { mapBounded } from "@strongroom/base/work";
import { madeConvergence } from "../../../tests/support/made-convergence.ts";
import { audited } from "./support/audited-vault.ts";
import { call } from "./support/http.ts";
import type { Answer, CallOptions } from "./support/http.ts";
import { installation } from "./support/installation.ts";
import type { Installation } from "./support/installation.ts";

const READ = ["GET", "HEAD"];
const EXPORT = "0b9c7a34-1de5-4bb4-a70b-5d3a6a0a1f0e";

/** Path -> its methods. */
const ROUTES: Readonly<Record<string, readonly string[]>> = {
  "/healthz": READ,
  "/readyz": READ,
  "/metrics": READ,
  "/openapi.json": READ,
  "/v1/audit": READ,
  "/v1/audit/access-log": READ,
  "/v1/audit/checkpoint": READ,
  "/v1/audit/status": READ,
  "/v1/collections": READ,
  [`/v1/exports/${EXPORT}`]: ["POST"],
  "/v1/approvals": [...READ, "POST"],
  "/v1/approvals/approve": ["POST"],
  "/v1/approvals/withdraw": ["POST"],
  "/v1/jobs": READ,
  "/v1/keys/cost": READ,
  "/v1/keys/inventory": READ,
  "/v1/keys/plan": READ,
  "/v1/keys/probe?key=a": READ,
  "/v1/keys/run": [...READ, "POST"],
  "/v1/keys/run/cancel": ["POST"],
  "/v1/keys/run/events": READ,
  "/v1/keys/run/failures": READ,
  "/v1/keys/run/pause": ["POST"],
  "/v1/keys/run/resume": ["POST"],
  "/v1/keys/run/undo": ["POST"],
  "/v1/regions": READ,
  "/v1/regions/debt": READ,
  "/v1/records/people": [...READ, "POST"],
  "/v1/records/people/there": [...READ, "PUT", "DELETE"],
  "/v1/records/people/there/versions": READ,
  "/v1/records/people/there/versions/1": READ,
  "/v1/nothing": [],
  "/v1": [],
  "/nothing": [],
};
const BODIES: Readonly<Record<string, object>> = { POST: { records: [], onExisting: "keep" }, PUT: {} };
/** What one route or the other cannot do without; the rest passes over them. */
const HEADERS = { "strongroom-export": EXPORT, "strongroom-subject": "ada" };
/** Paths of POST that have a body of their own. */
const POSTED: readonly (readonly [path: RegExp, body: object])[] = [
  [/^\/v1\/exports\//, { collection: "people", outcome: "complete", records: 1 }],
  [/^\/v1\/keys\/run$/, {}],
  [/^\/v1\/approvals/, { action: "retire-key", target: "arn" }],
  [/^\/v1\/keys\/run\/(?:cancel|pause|undo)$/, { reason: "a test" }],
];
/** What a route may say to whoever may ask it: a run can be begun once, and be ended by another. */
const GRANTED: ReadonlySet<number> = new Set([200, 201, 202, 403, 404, 409]);
const TOKENS = ["none", "unknown", "read", "write", "audit", "admin"] as const;
type As = (typeof TOKENS)[number];

const tokenOf = ({ token }: Installation, as: As): { readonly token?: string } =>
  as === "none" ? {} : { token: as === "unknown" ? `srt_${"A".repeat(43)}` : token[as] };

/** Status and code that a request must have; null: that of the route itself. */
function expected(path: string, method: string, as: As): readonly [status: number, code: string] | null {
  const methods = ROUTES[path] ?? [];
  const guarded = /^\/v1(\/|$)/.test(path);
  if (guarded && as === "none") return [401, "token-missing"];
  if (guarded && as === "unknown") return [401, "token-invalid"];
  if (methods.length === 0) return [404, "route-absent"];
  if (!methods.includes(method)) return [405, "method-not-allowed"];
  const needed = neededFor(path, method);
  return guarded && as !== "admin" && as !== needed ? [403, "scope-missing"] : null;
}

function neededFor(path: string, method: string): As {
  if (path.startsWith("/v1/audit")) return "audit";
  if (/^\/v1\/(?:keys\/run|approvals)/.test(path) && !READ.includes(method)) return "admin";
  // That an export has ended is told by whoever reads it.
  return READ.includes(method) || path.startsWith("/v1/exports/") ? "read" : "write";
}

test("every route with every method and every token: nothing is a fault, and who may not learns nothing", async (t) => {
  const service = await installation(t, {
    front: (vault) => madeConvergence().front(audited(vault).vault),
    limits: { streams: 100, streamsPerToken: 100 },
  });
  await service.vault.put({ collection: "people", id: "there" }, {});
  const cells = Object.keys(ROUTES).flatMap((path) =>
    METHODS.filter((method) => method !== "CONNECT").flatMap((method) =>
      TOKENS.map((as) => ({ path, method, as, must: expected(path, method, as) })),
    ),
  );
  await mapBounded(cells, 16, async ({ path, method, as, must }) => {
    const own = method === "POST" ? POSTED.find(([posted]) => posted.test(path)) : undefined;
    const body = own?.[1] ?? BODIES[method];
    const sent = { ...(body === undefined ? {} : { body }), headers: HEADERS };
    const options = { ...tokenOf(service, as), method, ...sent };
    const { status, json, headers } = await call(service.origin, path, options);
    const cell = `${method} ${path} as ${as}: ${status}`;
    if (must === null) assert.ok(GRANTED.has(status), cell);
    else {
      assert.equal(status, must[0], cell);
      if (method !== "HEAD") assert.equal(json?.code, must[1], cell);
      if (status === 405) assert.deepEqual(String(headers.allow).split(", "), [...(ROUTES[path] ?? [])].sort(), cell);
    }
  });
});

test("CONNECT is refused on every route, by an answer", async (t) => {
  const { origin } = await installation(t);
  for (const path of [...Object.keys(ROUTES), "vault.example:443"])
    assert.match(
      await bare(origin, `CONNECT ${path} HTTP/1.1\r\nHost: ${new URL(origin).host}\r\n\r\n`),
      /^HTTP\/1\.1 405 /,
    );
});

/** Sends bytes as they are; what comes back until the connection ends, or one answer is whole. */
async function bare(origin: string, bytes: string): Promise<string> {
  const { hostname, port } = new URL(origin);
  const socket = connect(Number(port), hostname);
  const chunks: Buffer[] = [];
  socket.on("data", (chunk: Buffer) => chunks.push(chunk));
  socket.on("error", () => undefined);
  socket.write(bytes);
  await new Promise((resolve) => socket.once("end", resolve).once("close", resolve));
  socket.destroy();
  return Buffer.concat(chunks).toString();
}

const LONG_AGO = "Sun, 06 Nov 1994 08:49:37 GMT";
const IN_FUTURE = "Fri, 06 Nov 2099 08:49:37 GMT";

/** Header of a request to a record at version 1 -> status of a read, of a PUT, of a DELETE, of a batch. */
const CONDITIONS: readonly (readonly [
  Readonly<Record<string, string>>,
  read: number,
  put: number,
  remove: number,
  batch: number,
])[] = [
  [{}, 200, 200, 200, 200],
  [{ "if-match": '"1"' }, 200, 200, 200, 400],
  [{ "if-match": "*" }, 200, 200, 200, 400],
  [{ "if-match": '"7"' }, 412, 412, 412, 400],
  [{ "if-match": '"7", "1"' }, 200, 400, 400, 400],
  [{ "if-match": 'W/"1"' }, 412, 400, 400, 400],
  [{ "if-match": "1" }, 400, 400, 400, 400],
  [{ "if-match": "" }, 400, 400, 400, 400],
  [{ "if-none-match": "*" }, 304, 412, 412, 400],
  [{ "if-none-match": '"1"' }, 304, 400, 400, 400],
  [{ "if-none-match": 'W/"1"' }, 304, 400, 400, 400],
  [{ "if-none-match": '"7"' }, 200, 400, 400, 400],
  [{ "if-none-match": "1" }, 400, 400, 400, 400],
  [{ "if-modified-since": LONG_AGO }, 200, 400, 400, 400],
  [{ "if-modified-since": IN_FUTURE }, 304, 400, 400, 400],
  [{ "if-modified-since": "yesterday" }, 200, 400, 400, 400],
  [{ "if-modified-since": IN_FUTURE, "if-none-match": '"7"' }, 200, 400, 400, 400],
  [{ "if-unmodified-since": LONG_AGO }, 412, 400, 400, 400],
  [{ "if-unmodified-since": IN_FUTURE }, 200, 400, 400, 400],
  [{ "if-unmodified-since": "0" }, 200, 400, 400, 400],
  [{ "if-unmodified-since": LONG_AGO, "if-match": '"1"' }, 200, 400, 400, 400],
  [{ "if-match": '"7"', "if-none-match": '"1"' }, 412, 400, 400, 400],
  [{ "if-match": '"1"', "if-none-match": "*" }, 304, 400, 400, 400],
  [{ "if-range": '"1"' }, 200, 400, 400, 400],
  [{ range: "bytes=0-1" }, 200, 200, 200, 200],
];

test("conditions of reads are evaluated; of writes, evaluated or refused, never passed over", async (t) => {
  const { origin, token, vault } = await installation(t);
  const ask = (path: string, options: CallOptions): Promise<Answer> =>
    call(origin, path, { ...options, token: token.admin });
  for (const [index, [headers, read, put, remove, batch]] of CONDITIONS.entries()) {
    const what = JSON.stringify(headers);
    const record = `/v1/records/people/${index}`;
    await vault.put({ collection: "people", id: String(index) }, {});
    for (const path of [record, `${record}/versions/1`])
      for (const method of READ) assert.equal((await ask(path, { method, headers })).status, read, `${method} ${what}`);
    const records = [{ id: `batch-${index}`, document: {} }];
    const answers = {
      batch: await ask("/v1/records/people", { method: "POST", headers, body: { records } }),
      put: await ask(record, { method: "PUT", headers, body: { n: 1 } }),
      remove: await ask(`/v1/records/people/gone-${index}`, { method: "DELETE", headers }),
    };
    assert.equal(answers.batch.status, batch, `batch ${what}`);
    assert.equal(answers.put.status, put, `PUT ${what}: ${answers.put.text}`);
    // Of what is not there: a condition that cannot hold is told first; one that holds leaves nothing to remove.
    const absent = remove === 400 ? 400 : headers["if-match"] === undefined ? 404 : 412;
    assert.equal(answers.remove.status, absent, `DELETE of nothing ${what}: ${answers.remove.text}`);
    await vault.put({ collection: "people", id: `fresh-${index}` }, {});
    const removed = await ask(`/v1/records/people/fresh-${index}`, { method: "DELETE", headers });
    assert.equal(removed.status, remove, `DELETE ${what}: ${removed.text}`);
    for (const answer of Object.values(answers))
      if (answer.status === 400) assert.equal(answer.json.code, "condition-invalid");
  }
});

test("what other headers ask for changes no answer", async (t) => {
  const { origin, token } = await installation(t);
  const odd: readonly Readonly<Record<string, string>>[] = [
    { "x-http-method-override": "DELETE" },
    { "x-forwarded-host": "evil.example" },
    { "x-original-url": "/v1/records/people/other" },
    { accept: "text/html" },
    { te: "trailers" },
    { upgrade: "websocket", connection: "Upgrade" },
    { expect: "100-continue" },
    { cookie: "a=b" },
    { "accept-encoding": "gzip;q=0" },
    { "content-language": "xx" },
  ];
  for (const [index, headers] of odd.entries()) {
    const path = `/v1/records/people/odd-${index}`;
    const what = JSON.stringify(headers);
    assert.equal((await call(origin, path, { token: token.write, body: {}, headers })).status, 201, what);
    assert.equal((await call(origin, path, { token: token.read, headers })).status, 200, what);
  }
  const compressed = await call(origin, "/v1/records/people/a", {
    token: token.write,
    body: Buffer.from("1f8b0800000000000003abae050043bfa6a302000000", "hex"),
    headers: { "content-encoding": "gzip" },
  });
  assert.deepEqual([compressed.status, compressed.json.code], [400, "document-invalid"]);
});

test("a token that may only write cannot test what is stored", async (t) => {
  const { origin, token, vault } = await installation(t);
  await vault.put({ collection: "people", id: "ada" }, { born: 1815 }, { subject: "subject-of-ada" });
  const batch = (document: object, onExisting?: string): Promise<Answer> =>
    call(origin, "/v1/records/people", {
      method: "POST",
      token: token.write,
      body: { records: [{ id: "ada", document }], ...(onExisting === undefined ? {} : { onExisting }) },
    });
  for (const guess of [{ born: 1815 }, { born: 1816 }]) {
    for (const onExisting of ["compare", undefined]) {
      const { status, json } = await batch(guess, onExisting);
      assert.deepEqual([status, json.code], [403, "scope-missing"]);
      assert.match(json.detail, /replace and keep/);
    }
    assert.equal((await batch(guess, "keep")).json.results[0].outcome, "kept");
    assert.equal((await batch(guess, "replace")).json.results[0].outcome, "replaced");
  }
  const path = "/v1/records/people/ada";
  const same = await call(origin, path, { token: token.write, body: { born: 1815 } });
  const other = await call(origin, path, { token: token.write, body: { born: 1816 } });
  assert.deepEqual(Object.keys(same.json), Object.keys(other.json));
  assert.ok(!same.text.includes("subject-of-ada"));
  assert.equal((await call(origin, path, { token: token.admin, body: {} })).json.subject, "subject-of-ada");
  const given = { "strongroom-subject": "new" };
  assert.equal((await call(origin, path, { token: token.write, body: {}, headers: given })).json.subject, "new");
});

/** Body -> where its second key is, in a document and in a batch. */
const TWICE: readonly (readonly [body: string, at: number])[] = [
  ['{"secret-1":1,"secret-1":2}', 14],
  ['{"a":[{"b":{"secret-1":1,"secret-1":1}}]}', 25],
  ['{"__proto__":1,"__proto__":2}', 15],
  ['{"a":1,"\\u0061":2}', 7],
];

test("a body with a key twice is refused by its place, and nothing of it is quoted", async (t) => {
  const { origin, token, log } = await installation(t);
  for (const [body, at] of TWICE) {
    const document = await call(origin, "/v1/records/people/a", { token: token.admin, body });
    assert.deepEqual([document.status, document.json.code], [400, "body-invalid"], body);
    assert.match(document.json.detail, new RegExp(`near byte ${at}$`));
    const before = '{"records":[{"id":"a","document":';
    const batch = await call(origin, "/v1/records/people", {
      method: "POST",
      token: token.admin,
      body: `${before}${body}}]}`,
    });
    assert.deepEqual([batch.status, batch.json.code], [400, "body-invalid"], body);
    assert.match(batch.json.detail, new RegExp(`near byte ${at + before.length}$`));
    assert.ok(![document.text, batch.text, log()].some((text) => text.includes("secret")));
  }
  const envelope = '{"records":[],"records":[{"id":"a","document":{}}]}';
  const twice = await call(origin, "/v1/records/people", { method: "POST", token: token.admin, body: envelope });
  assert.equal(twice.json.code, "body-invalid");
  assert.equal((await call(origin, "/v1/records/people/a", { token: token.admin })).status, 404);
});

test("an error quotes no member of a body and no name of a query that it does not know", async (t) => {
  const { origin, token, log } = await installation(t);
  const secret = "ada@lovelace.example";
  const bodies: readonly unknown[] = [
    { [secret]: 1 },
    { records: [{ id: "a", [secret]: secret, document: {} }] },
    { records: [{ [secret]: 1 }] },
    { records: [{ id: { [secret]: 1 }, document: {} }] },
    { records: { [secret]: 1 } },
    { records: [secret] },
    { records: secret },
    { records: [], onExisting: secret },
    { records: [], onExisting: { [secret]: 1 } },
    { records: [{ id: "a", document: {}, subject: [secret] }], [secret]: 1 },
    [secret],
    secret,
  ];
  for (const body of bodies) {
    const answer = await call(origin, "/v1/records/people", {
      method: "POST",
      token: token.admin,
      body: JSON.stringify(body),
    });
    assert.deepEqual([answer.status, answer.json.code], [400, "request-invalid"], JSON.stringify(body));
    assert.ok(!answer.text.includes("lovelace"), answer.text);
  }
  for (const query of [`${secret}=1`, `limit=${secret}`, `cursor=${secret}`, `limit=5&limit=${secret}`]) {
    const answer = await call(origin, `/v1/records/people?${query}`, { token: token.admin });
    assert.equal(answer.status, 400);
    assert.ok(!answer.text.includes("lovelace"), answer.text);
  }
  assert.ok(!log().includes("lovelace"));
});
