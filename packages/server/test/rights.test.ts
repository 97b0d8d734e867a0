/** People's rights over HTTP: each with its scope, and no name in a URL or a log. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { call } from "./support/http.ts";
import type { Answer } from "./support/http.ts";
import { installation } from "./support/installation.ts";

const declared = {
  people: { retention: { after: 30 }, recipients: ["The tax office"], fields: { name: { mask: "name" } } },
  news: { purposes: ["support", { code: "marketing", consent: true }] },
} as const;
const ADA = "ada.lovelace@example.org";

test("what is held, given out, restricted, corrected, consented to and declared", async (t) => {
  const { origin, token, vault, log } = await installation(t, { keys: {}, declared, isAudited: true });
  const post = (path: string, body: object, as = token.admin, headers = {}): Promise<Answer> =>
    call(origin, `/v1${path}`, { method: "POST", token: as, body, headers });
  await vault.put({ collection: "people", id: "1" }, { name: "Ada" }, { subject: ADA, about: ["bob"] });
  await vault.put({ collection: "people", id: "2" }, { name: "Ada" }, { subject: ADA });

  const shown = await post("/subjects/show", { subject: ADA }, token.read);
  assert.deepEqual([shown.status, shown.json.state, shown.json.records.length], [200, "active", 2]);
  assert.equal(shown.json.collections[0].recipients[0], "The tax office");
  const given = await post("/subjects/export", { subject: ADA, recipient: "Ada" }, token.read);
  assert.equal(given.json.next, null);
  assert.deepEqual(
    (given.json.items as readonly Answer["json"][]).map(({ kind, reason }) => `${kind} ${reason}`).sort(),
    ["record undefined", "withheld third-parties"],
  );
  const change = { subject: ADA, collection: "people", id: "2", changes: { born: 1815 }, reason: "asked" };
  assert.equal((await post("/subjects/rectify", change, token.write)).json.version, 2);
  await vault.audit!.sequence();
  const { recipients } = (await post("/subjects/recipients", { subject: ADA }, token.audit)).json;
  assert.deepEqual([recipients[0].recipient, recipients[0].outcome], ["Ada", "complete"]);

  const marketing = { "strongroom-purpose": "marketing" };
  const news = { token: token.admin, body: {}, headers: { ...marketing, "strongroom-subject": ADA } };
  assert.equal((await call(origin, "/v1/records/news/1", news)).json.code, "consent-missing");
  const consent = { subject: ADA, purpose: "marketing", state: "given" };
  assert.equal((await post("/subjects/consent", consent, token.write)).json.version, 1);
  assert.equal((await call(origin, "/v1/records/news/1", news)).status, 201);
  assert.equal((await post("/subjects/consents", { subject: ADA }, token.read)).json.consents[0].state, "given");

  const restricted = await post("/subjects/restrict", { subject: ADA, except: ["legal-claims"] }, token.write);
  assert.equal(restricted.json.state, "restricted");
  assert.equal((await call(origin, "/v1/records/people/2", { token: token.read })).json.code, "subject-restricted");
  const claims = { "strongroom-purpose": "legal-claims" };
  assert.equal((await call(origin, "/v1/records/people/2", { token: token.read, headers: claims })).status, 200);
  assert.equal((await post("/subjects/release", { subject: ADA }, token.write)).json.state, "active");

  await vault.audit!.sequence();
  const { events } = (await call(origin, "/v1/audit?action=person-export", { token: token.audit })).json;
  const exposure = { principal: events[0].principal, since: "2020-01-01T00:00:00Z", names: true };
  assert.equal((await post("/audit/exposure", { ...exposure, names: false }, token.audit)).status, 200);
  assert.equal((await post("/audit/exposure", exposure, token.audit)).json.code, "not-permitted");
  const exposed = await post("/audit/exposure", exposure);
  assert.equal(exposed.status, 200, JSON.stringify(exposed.json));
  assert.ok(
    (exposed.json.people as readonly Answer["json"][]).some(({ name }) => name === ADA),
    JSON.stringify(exposed.json),
  );
  const report = await call(origin, "/v1/processing", { token: token.read });
  assert.deepEqual(
    (report.json.collections as readonly Answer["json"][]).map(({ collection }) => String(collection)),
    ["news", "people"],
  );
  const plan = await post("/retention/plan", {});
  assert.deepEqual([plan.json.collections[0].looked, plan.json.collections[0].due], [2, 0]);
  assert.equal((await post("/retention/run", {})).json.collections[0].outcome, "complete");
  assert.ok(!log().includes("ada.lovelace"), "no name is in the log");
});

test("a token that may not, a name in a URL and a body of another form are refused", async (t) => {
  const { origin, token, vault } = await installation(t, { keys: {}, declared, isAudited: true });
  await vault.put({ collection: "people", id: "1" }, { name: "Ada" }, { subject: ADA });
  const status = async (path: string, body: object, as: string): Promise<number> =>
    (await call(origin, `/v1${path}`, { method: "POST", token: as, body })).status;
  const whom = { subject: ADA };
  assert.equal(await status("/subjects/show", whom, token.write), 403);
  assert.equal(await status("/subjects/export", { ...whom, recipient: "x" }, token.write), 403);
  for (const path of ["restrict", "release", "consent", "rectify"])
    assert.equal(await status(`/subjects/${path}`, whom, token.read), 403, path);
  assert.equal(await status("/subjects/recipients", whom, token.read), 403);
  assert.equal(await status("/audit/exposure", {}, token.read), 403);
  for (const path of ["/retention/plan", "/retention/run"]) assert.equal(await status(path, {}, token.write), 403);
  assert.equal(await status("/subjects/show", { ...whom, also: 1 }, token.read), 400);
  assert.equal(await status("/subjects/export", whom, token.read), 400);
  assert.equal(await status("/subjects/show", { subject: "eve" }, token.read), 404);
  assert.equal((await call(origin, `/v1/subjects/show?subject=${ADA}`, { token: token.read })).status, 405);
});

const PEOPLE_ROUTES: readonly (readonly [path: string, body: object])[] = [
  ["/subjects/show", {}],
  ["/subjects/export", { recipient: "me" }],
  ["/subjects/restrict", {}],
  ["/subjects/release", {}],
  ["/subjects/rectify", { collection: "people", id: "1", changes: { name: "x" }, reason: "asked" }],
  ["/subjects/consent", { purpose: "marketing", state: "given" }],
  ["/subjects/consents", {}],
  ["/subjects/recipients", {}],
  ["/subjects/erase", { reason: "art-17" }],
];
const HELD = { reason: "litigation" };

test("a token that sees masks, or writes over them, gets nothing by any of these; one that erases erases", async (t) => {
  const roles = {
    masked: { grants: [{ collection: "*", fields: ["*"], actions: ["read:masked"] }] },
    editor: { grants: [{ collection: "people", fields: ["*"], actions: ["read:masked", "write"] }] },
    writer: { grants: [{ collection: "people", fields: ["*"], actions: ["read", "write"] }] },
    eraser: { grants: [{ collection: "*", actions: ["erase"] }] },
  } as const;
  const { origin, tokens, vault } = await installation(t, { keys: {}, declared, isAudited: true, roles });
  const tokenOf = async (...names: readonly string[]): Promise<string> =>
    (await tokens.create({ name: `of ${names.join("-")}`, scopes: [], roles: names })).token;
  await vault.put({ collection: "people", id: "1" }, { name: "Ada" }, { subject: ADA });
  const { id: hold } = await vault.erasure!.hold("bob", HELD);
  const asked: readonly (readonly [path: string, method: string, body?: object])[] = [
    ...[ADA, "nobody@example.org"].flatMap((subject) =>
      PEOPLE_ROUTES.map(([path, body]) => [path, "POST", { subject, ...body }] as const),
    ),
    ["/audit/exposure", "POST", { principal: "token:1", since: "2020-01-01T00:00:00Z" }],
    ["/processing", "GET"],
    ["/retention/plan", "POST", {}],
    ["/retention/run", "POST", {}],
    ["/holds", "GET"],
    ["/holds", "POST", { subject: ADA, ...HELD }],
    [`/holds/${hold}/lift`, "POST", HELD],
    ["/erasures", "GET"],
    ["/audit", "GET"],
    ["/audit/access-log", "GET"],
  ];
  for (const token of [await tokenOf("masked"), await tokenOf("editor"), await tokenOf("masked", "editor")])
    for (const [path, method, body] of asked) {
      const headers = { "strongroom-subject": ADA };
      const answer = await call(origin, `/v1${path}`, { method, token, headers, ...(body && { body }) });
      assert.equal(answer.status, 403, `${method} ${path}: ${answer.text}`);
      assert.match(answer.json.code, /^(?:scope-missing|not-permitted)$/);
      assert.ok(!answer.text.includes("ada.lovelace") && !answer.text.includes(hold));
    }
  assert.equal((await vault.get({ collection: "people", id: "1" })).version, 1);

  const change = { subject: ADA, collection: "people", id: "1", changes: { born: 1815 }, reason: "asked" };
  const post = (path: string, body: object, token: string): Promise<Answer> =>
    call(origin, `/v1${path}`, { method: "POST", token, body });
  assert.equal((await post("/subjects/rectify", change, await tokenOf("writer"))).json.version, 2);
  const eraser = await tokenOf("eraser");
  assert.equal((await call(origin, "/v1/holds", { token: eraser })).json.holds.length, 1);
  assert.equal((await post("/subjects/show", { subject: ADA }, eraser)).status, 403);
  assert.equal((await post(`/holds/${hold}/lift`, HELD, eraser)).status, 200);
  assert.equal((await post("/subjects/erase", { subject: ADA, reason: "art-17" }, eraser)).json.state, "erased");
});

test("moments of the audit's events are taken with and without parts of a second", async (t) => {
  const { origin, token, vault } = await installation(t, { keys: {}, declared, isAudited: true });
  await vault.put({ collection: "people", id: "1" }, { name: "Ada" }, { subject: ADA });
  await vault.audit!.sequence();
  const events = async (query: string): Promise<readonly [number, number | undefined]> => {
    const { status, json } = await call(origin, `/v1/audit?action=write&${query}`, { token: token.audit });
    return [status, (json.events as readonly unknown[] | undefined)?.length];
  };
  for (const since of ["2020-01-01T00:00:00Z", "2020-01-01T00:00:00.1Z", "2020-01-01T00:00:00.123456Z"]) {
    assert.deepEqual(await events(`since=${since}`), [200, 1], since);
    assert.deepEqual(await events(`until=${since}`), [200, 0], since);
    const log = { token: token.audit, headers: { "strongroom-subject": ADA } };
    assert.equal((await call(origin, `/v1/audit/access-log?since=${since}`, log)).status, 200, since);
  }
  for (const none of [
    "yesterday",
    "2020-02-30T00:00:00Z",
    "2020-01-01",
    "2020-01-01T00:00:00%2B01:00",
    "2020-01-01T24:00:00Z",
  ])
    assert.equal((await events(`since=${none}`))[0], 400, none);
});
