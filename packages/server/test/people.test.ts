/** People over HTTP, of a vault that has a key store: by which names they are said, and where these are not. */
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { call } from "./support/http.ts";
import type { Answer } from "./support/http.ts";
import { installation } from "./support/installation.ts";
import { requestLines } from "./support/log-lines.ts";

const KEYS = { keys: {} };

test("a record is about whom its writer says, and about further people: in headers and answers", async (t) => {
  const { origin, token } = await installation(t, KEYS);
  const path = "/v1/records/orders/7";
  const put = async (headers: Readonly<Record<string, string>>, as = token.admin): Promise<Answer> =>
    call(origin, path, { token: as, body: { a: Math.random() }, headers });
  const first = await put({ "strongroom-subject": "Zo%C3%AB", "strongroom-about": "Jr%2C%20Cy , b" });
  assert.deepEqual([first.status, first.json.subject, [...first.json.about].sort()], [201, "Zoë", ["Jr, Cy", "b"]]);
  const read = await call(origin, path, { token: token.read });
  assert.equal(read.headers["strongroom-subject"], "Zo%C3%AB");
  assert.deepEqual(String(read.headers["strongroom-about"]).split(", ").sort(), ["Jr%2C%20Cy", "b"]);

  const kept = await put({});
  assert.deepEqual([kept.json.subject, kept.json.about.length], ["Zoë", 2], "who is not named stays");
  const nobody = await put({ "strongroom-about": "" });
  assert.deepEqual([nobody.json.subject, nobody.json.about], ["Zoë", undefined], "an empty list names nobody");
  assert.equal((await call(origin, path, { token: token.read })).headers["strongroom-about"], undefined);
});

test("another subject is a conflict, unless the writer says that the record is to be about somebody else", async (t) => {
  const { origin, token } = await installation(t, KEYS);
  const path = "/v1/records/people/ada";
  const put = async (headers: Readonly<Record<string, string>>): Promise<Answer> =>
    call(origin, path, { token: token.admin, body: {}, headers });
  assert.equal((await put({})).json.subject, "people/ada");
  const refused = await put({ "strongroom-subject": "bob" });
  assert.deepEqual([refused.status, refused.json.code], [409, "subject-differs"]);
  assert.equal((await put({ "strongroom-subject": "bob", "strongroom-repoint": "false" })).status, 409);
  const moved = await put({ "strongroom-subject": "bob", "strongroom-repoint": "true" });
  assert.deepEqual([moved.status, moved.json.subject], [200, "bob"]);
  for (const headers of [
    { "strongroom-repoint": "yes" },
    { "strongroom-about": "%zz" },
    { "strongroom-about": "a,,b" },
    { "strongroom-about": "Zo\u00c3\u00ab" },
    { "strongroom-subject": "Zo\u00eb" },
    { "strongroom-tenant": "Acme Ltd" },
  ])
    assert.equal((await put(headers)).status, 400, JSON.stringify(headers));
});

test("a batch takes the same of each record, and refuses those that are about somebody else", async (t) => {
  const { origin, token, vault } = await installation(t, KEYS);
  await vault.put({ collection: "people", id: "there" }, { a: 1 }, { subject: "ada" });
  const records = [
    { id: "new", document: { a: 1 }, subject: "ada", about: ["bob"], tenant: "acme" },
    { id: "there", document: { a: 2 }, subject: "bob" },
    { id: "bad", document: { a: 1 }, tenant: "Acme Ltd" },
  ];
  const batch = async (body: object): Promise<Answer> =>
    call(origin, "/v1/records/people", { method: "POST", token: token.admin, body });
  const { json } = await batch({ records });
  const told = (json.results as Answer["json"][]).map(({ outcome, code }) => String(code ?? outcome));
  assert.deepEqual(told, ["created", "subject-differs", "tenant-invalid"]);
  const repointed = await batch({ records: [{ ...records[1], repoint: true }], onExisting: "replace" });
  assert.equal(repointed.json.results[0].outcome, "replaced");
  const { subject, about } = await vault.get({ collection: "people", id: "new" });
  assert.deepEqual([subject, about], ["ada", ["bob"]]);
});

test("who may not read is not told whom a record is about, and who was restricted is refused to everybody", async (t) => {
  const { origin, token, vault } = await installation(t, KEYS);
  const path = "/v1/records/people/x";
  await vault.put({ collection: "people", id: "x" }, { a: 1 }, { subject: "ada", about: ["bob"] });
  const blind = await call(origin, path, { token: token.write, body: { a: 2 } });
  assert.deepEqual([blind.json.subject, blind.json.about], [undefined, undefined]);
  const own = await call(origin, path, { token: token.write, body: {}, headers: { "strongroom-about": "cy" } });
  assert.deepEqual([own.json.subject, own.json.about], [undefined, ["cy"]], "but what was sent");
  await vault.subjects.restrict("cy");
  for (const answer of [
    await call(origin, path, { token: token.read }),
    await call(origin, path, { token: token.admin, body: {} }),
  ])
    assert.deepEqual([answer.status, answer.json.code], [403, "subject-restricted"]);
});

test("a record about nobody has no subject, and one whose document does not say whom it is about is refused", async (t) => {
  const declared = { prices: { subject: "none" }, logins: { subject: { field: "person" } } } as const;
  const { origin, token } = await installation(t, { ...KEYS, declared });
  const put = async (path: string, body: object): Promise<Answer> => call(origin, path, { token: token.admin, body });
  assert.equal((await put("/v1/records/prices/1", {})).json.subject, null);
  assert.equal(
    (await call(origin, "/v1/records/prices/1", { token: token.read })).headers["strongroom-subject"],
    undefined,
  );
  assert.equal((await put("/v1/records/logins/1", { person: "ada" })).json.subject, "ada");
  const missing = await put("/v1/records/logins/2", { person: 7 });
  assert.deepEqual([missing.status, missing.json.code], [422, "subject-missing"]);
});

test("e-mail addresses as ids and names of a sealed collection are in no log, metric, file or header of the KMS", async (t) => {
  const { origin, token, log, app, vault, folder } = await installation(t, {
    keys: {},
    declared: { logins: { ids: "sealed" } },
  });
  const address = "ada.lovelace@example.org";
  const path = `/v1/records/logins/${encodeURIComponent(address)}`;
  const headers = {
    "strongroom-subject": encodeURIComponent(address),
    "strongroom-about": "bob.babbage%40example.org",
  };
  assert.equal((await call(origin, path, { token: token.admin, body: {}, headers })).status, 201);
  const read = await call(origin, path, { token: token.read });
  assert.deepEqual([read.status, read.headers["strongroom-subject"]], [200, encodeURIComponent(address)]);
  const list = await call(origin, "/v1/records/logins", { token: token.read });
  assert.deepEqual(
    (list.json.items as { readonly id: string }[]).map(({ id }) => id),
    [address],
    "callers have their own ids",
  );
  for (const [method, body] of [
    ["PUT", "{"],
    ["PUT", "[]"],
    ["DELETE", undefined],
    ["GET", undefined],
  ] as const)
    await call(origin, path, {
      method,
      token: token.admin,
      headers: { "if-match": '"9"' },
      ...(body === undefined ? {} : { body }),
    });
  await call(origin, `${path}/versions/9`, { token: token.read });
  await call(origin, `${path}/nothing`, { token: token.read });
  const metrics = await call(origin, "/metrics");
  // What is public is found: the search is none that finds nothing.
  await vault.put({ collection: "people", id: "control-person" }, {});
  await app.close();
  await vault.close();
  const forms = [
    "ada.lovelace",
    "lovelace",
    "bob.babbage",
    Buffer.from(address).toString("hex"),
    Buffer.from(address).toString("base64"),
  ];
  const texts = new Map<string, string>([
    ["log", log()],
    ["metrics", metrics.text],
    ...readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry): [string, string] => [entry.name, readFileSync(join(entry.parentPath, entry.name), "latin1")]),
  ]);
  assert.ok(texts.has("keys.sqlite") && texts.has("records.sqlite") && texts.has("kms.sqlite"));
  assert.ok(requestLines(log()).length > 7);
  assert.ok([...texts.values()].some((text) => text.includes("control-person")));
  for (const [name, text] of texts)
    for (const form of forms)
      assert.equal(text.toLowerCase().includes(form.toLowerCase()), false, `${form} in ${name}`);
});
