/** People's rights over HTTP: each with its scope, and no name in a URL or a log. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { call } from "./support/http.ts";
import type { Answer } from "./support/http.ts";
import { installation } from "./support/installation.ts";

const declared = {
  people: { retention: { after: 30 }, recipients: ["The tax office"] },
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
  const exposed = await post("/audit/exposure", exposure, token.audit);
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
