/**
 * Finding over HTTP, against a service of real parts: what is found is shown as the token's roles show it, and whoever
 * may not search a field learns nothing of it: not by an answer, a count, a 409, a cursor or the time of a page.
 */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { TestContext } from "node:test";
import type { RolesOptions } from "@strongroom/vault";
import { date, email, text } from "@strongroom/vault/normalisers";
import { call } from "./support/http.ts";
import type { Answer, CallOptions } from "./support/http.ts";
import { installation } from "./support/installation.ts";
import type { Installation } from "./support/installation.ts";

const ROLES: RolesOptions = {
  // Sees everything masked, finds by the address alone.
  support: {
    grants: [
      { collection: "people", fields: ["*"], actions: ["read:masked"] },
      { collection: "people", fields: ["plan"], actions: ["read"] },
      { collection: "people", fields: ["email"], actions: ["find"] },
    ],
  },
  // Sees masked, finds by nothing.
  masked: { grants: [{ collection: "people", fields: ["*"], actions: ["read:masked"] }] },
  // Writes whole documents, and may not search what is unique.
  writer: { grants: [{ collection: "people", fields: ["*"], actions: ["write"] }] },
  // Writes and finds.
  clerk: { grants: [{ collection: "people", fields: ["*"], actions: ["write", "find"] }] },
  // Finds, and sees nothing.
  blind: { grants: [{ collection: "people", fields: ["*"], actions: ["find"] }] },
  keeper: { grants: [{ collection: "*", actions: ["keys"] }] },
  elsewhere: { grants: [{ collection: "orders", fields: ["*"], actions: ["read"] }] },
};
const FIELDS = {
  email: { find: email(), unique: true, mask: "email" },
  city: { find: text(), values: 20_000, mask: "redact" },
  born: { find: date(), buckets: "month", mask: "redact" },
} as const;
const PEOPLE = {
  ada: { email: "Ada@Example.com", city: "London", born: "1815-12-10", plan: "free", secret: "raw-secret" },
  bob: { email: "bob@example.com", city: "Paris", born: "1815-12-20", plan: "paid", secret: "raw-secret" },
};

interface Service extends Installation {
  readonly ask: (role: string, path: string, options?: CallOptions) => Promise<Answer>;
  readonly find: (role: string, body: unknown, at?: string) => Promise<Answer>;
}

async function service(t: TestContext, collections: { readonly ids?: "sealed" } = {}): Promise<Service> {
  const made = await installation(t, {
    ...{ keys: {}, isAudited: true, roles: ROLES },
    declared: { people: { fields: FIELDS, ...collections } },
  });
  const tokens = new Map<string, string>(Object.entries(made.token));
  for (const role of Object.keys(ROLES))
    tokens.set(role, (await made.tokens.create({ name: `of ${role}`, scopes: [], roles: [role] })).token);
  for (const [id, document] of Object.entries(PEOPLE))
    await made.vault.put({ collection: "people", id }, document, { subject: `subject of ${id}` });
  const ask = (role: string, path: string, options: CallOptions = {}): Promise<Answer> =>
    call(made.origin, path, { ...options, token: tokens.get(role) ?? "" });
  const find: Service["find"] = (role, body, at = "") =>
    ask(role, `/v1/records/people/find${at}`, { method: "POST", body: body as object });
  return { ...made, ask, find };
}

const idsOf = ({ json }: Answer): readonly string[] =>
  (json as { items: readonly { id: string }[] }).items.map(({ id }) => id).sort();

describe("finding records", () => {
  test("gives what is meant, in pages, and of each what was asked for", async (t) => {
    const { find } = await service(t);
    const one = await find("read", { query: { email: "ADA@example.com" } });
    assert.equal(one.status, 200, one.text);
    assert.deepEqual(one.json.items[0].document, PEOPLE.ada);
    assert.equal(one.json.items[0].subject, "subject of ada");
    const month = { born: { from: "1815-12-01", to: "1815-12-31" } };
    const first = await find("read", { query: month, limit: 1 });
    const second = await find("read", { query: month, limit: 1, cursor: first.json.next });
    assert.deepEqual([...idsOf(first), ...idsOf(second)].sort(), ["ada", "bob"]);
    assert.equal(second.json.next, null);
    const other = await find("read", { query: { city: "London" }, cursor: first.json.next });
    assert.equal(other.json.code, "cursor-invalid", "a cursor is of its query");
    const fields = await find("read", { query: { city: "PARIS", ...month }, fields: ["plan"] });
    assert.deepEqual(fields.json.items[0].document, { plan: "paid" });
    const counted = await find("read", { query: { born: { from: "1815-12-15", to: "1815-12-31" } } }, "/count");
    assert.deepEqual(counted.json, { atMost: 2, isCapped: false }, "of the whole month: an upper bound");
    const explained = await find("read", { query: { city: "London" } }, "/explain");
    assert.deepEqual(explained.json, { indexes: [{ name: "city", fields: ["city"], tags: 1 }], compared: [] });
  });

  test("is refused with what is wrong and without a value", async (t) => {
    const { find, log } = await service(t);
    const bodies: readonly unknown[] = [
      {},
      { query: null },
      { query: [] },
      { query: "raw-value" },
      { query: {} },
      { query: { secret: "raw-value" } },
      { query: { email: ["raw-value"] } },
      { query: { email: { prefix: "raw-value" } } },
      { query: { email: "raw-value" }, limit: 501 },
      { query: { email: "raw-value" }, limit: 0 },
      { query: { email: "raw-value" }, fields: [] },
      { query: { email: "raw-value" }, fields: ["raw-value."] },
      { query: { email: "raw-value" }, cursor: "raw-value" },
      { query: { email: "raw-value" }, tenant: "RAW-VALUE" },
      { query: { email: "raw-value" }, more: "raw-value" },
    ];
    for (const body of bodies) {
      const { status, text: said } = await find("read", body);
      assert.equal(status, 400, `${JSON.stringify(body)}: ${said}`);
      assert.doesNotMatch(said, /raw-value/i);
    }
    assert.doesNotMatch(log(), /raw-value/i);
    const got = await call((await service(t)).origin, "/v1/records/people/find?email=raw-value");
    assert.equal(got.status, 401);
  });

  test("shows a role what it may see, and tells nothing of what it may not search", async (t) => {
    const { find, ask, log } = await service(t);
    const hit = await find("support", { query: { email: "ada@example.com" } });
    assert.deepEqual(hit.json.items[0], {
      ...{ collection: "people", id: "ada", subject: null, version: 1, createdAt: hit.json.items[0].createdAt },
      document: { born: "•••", city: "•••", email: "A•••@Example.com", plan: "free" },
    });
    assert.deepEqual((await find("support", { query: { email: "x@example.com" } })).json.items, []);
    assert.equal(
      (await find("support", { query: { email: "ada@example.com" }, fields: ["secret"] })).json.code,
      "field-forbidden",
    );
    // The same words whether there is somebody of that city or not, and before anything is looked up.
    const answers = [];
    for (const role of ["support", "masked"])
      for (const query of [
        { city: "London" },
        { city: "Atlantis" },
        { email: "ada@example.com", city: "London" },
        { email: "ada@example.com", city: "Paris" },
      ])
        for (const at of ["", "/count", "/explain"]) {
          const { status, json } = await find(role, { query }, at);
          assert.equal(status, 403);
          answers.push([role, at, Object.keys(query).length, json.code, json.detail].join());
        }
    assert.equal(new Set(answers).size, answers.length / 2, "a hit and a miss are answered alike");
    for (const role of ["blind", "elsewhere", "keeper", "writer"]) {
      const { status } = await find(role, { query: { email: "ada@example.com" } });
      assert.equal(status, 403, role);
    }
    for (const path of ["/v1/records/people?email=ada", "/v1/indexes", "/v1/collections/people/leakage"])
      assert.equal((await ask("masked", path)).status, path.includes("records") ? 400 : 403, path);
    for (const raw of ["ada@example", "London", "raw-secret", "1815-12-10"]) assert.ok(!log().includes(raw), raw);
  });

  test("where ids are nobody's to see, a role that sees a part finds nothing by them either", async (t) => {
    const { find } = await service(t, { ids: "sealed" });
    assert.deepEqual(idsOf(await find("read", { query: { email: "ada@example.com" } })), ["ada"]);
    const { json } = await find("support", { query: { email: "ada@example.com" } });
    assert.equal(json.code, "not-permitted");
  });

  test("a 409 is for whoever may find by the field, and for others everything is a 403", async (t) => {
    const { ask } = await service(t);
    const put = (role: string, id: string, address: string): Promise<Answer> =>
      ask(role, `/v1/records/people/${id}`, { method: "PUT", body: { email: address } });
    const batch = (role: string, address: string): Promise<Answer> =>
      ask(role, "/v1/records/people", {
        method: "POST",
        body: { records: [{ id: "new", document: { email: address } }], onExisting: "replace" },
      });
    const taken = await put("clerk", "new", "ADA@example.com");
    assert.deepEqual([taken.status, taken.json.code], [409, "value-taken"]);
    assert.doesNotMatch(taken.text, /ada/i, "nor whose it is");
    assert.equal((await batch("clerk", "ada@example.com")).json.results[0].code, "value-taken");
    for (const role of ["writer", "write"]) {
      const seen = [];
      for (const address of ["ada@example.com", "nobody@example.com"]) {
        const [one, many] = [await put(role, "new", address), await batch(role, address)];
        seen.push(
          [
            one.status,
            one.json.code,
            one.json.detail,
            many.status,
            many.text.replaceAll(/"requestId":"[^"]*"/g, ""),
          ].join(),
        );
      }
      assert.equal(seen[0], seen[1], role);
      assert.match(seen[0] ?? "", /^403,field-forbidden/);
    }
    assert.equal((await put("clerk", "new", "new@example.com")).status, 201);
  });

  test("misses and refusals are in the audit, by names of fields", async (t) => {
    const { find, ask, vault } = await service(t);
    await find("read", { query: { email: "missing@example.com" } });
    await find("masked", { query: { city: "London" } });
    await find("read", { query: { email: "missing@example.com" } }, "/count");
    await vault.audit?.sequence();
    const { text: told, json } = await ask("admin", "/v1/audit?action=find&limit=100");
    const found = (json.events as { result: string; details: Record<string, unknown> }[]).map(({ result, details }) =>
      [result, details["fields"], details["found"] ?? details["counted"]].join(),
    );
    assert.ok(found.includes("done,email,0"), told);
    assert.ok(
      found.some((one) => one.startsWith("field-forbidden")),
      told,
    );
    assert.equal(found.filter((one) => one === "done,email,0").length, 2);
    assert.doesNotMatch(told, /missing@|London/);
  });
});

describe("indexes", () => {
  const until = async (ask: Service["ask"], role: string): Promise<Record<string, unknown>> => {
    for (;;) {
      const { work } = (await ask(role, "/v1/indexes/work")).json as { work: Record<string, unknown> };
      if (work["state"] !== "running") return work;
    }
  };

  test("are looked at, dropped, built and given another key by whoever may", async (t) => {
    const { ask, find } = await service(t);
    const steps = async (): Promise<readonly string[]> =>
      (
        (await ask("keeper", "/v1/indexes?collection=people")).json as { indexes: { index: string; step: string }[] }
      ).indexes.map(({ index, step }) => `${index} ${step}`);
    assert.deepEqual(await steps(), ["born ready", "born:range ready", "city ready", "email ready"]);
    const post = (role: string, what: string, body: object = {}): Promise<Answer> =>
      ask(role, `/v1/indexes/${what}`, { method: "POST", body });
    for (const role of ["read", "write", "audit", "support", "clerk"])
      for (const what of ["apply", "rotate-key", "documents"]) assert.equal((await post(role, what)).status, 403, role);
    assert.equal((await post("keeper", "drop", { collection: "people", index: "city" })).status, 202);
    assert.equal((await until(ask, "keeper"))["state"], "done");
    assert.equal((await find("read", { query: { city: "London" } })).json.code, "index-not-ready");
    assert.equal((await post("keeper", "drop", { collection: "people", index: "nothing" })).status, 202);
    assert.equal(((await until(ask, "keeper"))["problem"] as { code: string }).code, "find-invalid");
    const begun = await Promise.all([post("keeper", "apply"), post("keeper", "apply")]);
    assert.ok(begun.some(({ status }) => status === 202));
    await until(ask, "keeper");
    assert.deepEqual(idsOf(await find("read", { query: { city: "London" } })), ["ada"]);
    assert.equal((await post("admin", "rotate-key")).status, 202);
    const rotated = await until(ask, "admin");
    assert.deepEqual([rotated["state"], rotated["records"]], ["done", 2]);
    assert.deepEqual(idsOf(await find("read", { query: { city: "London" } })), ["ada"]);
    const { indexes } = (await ask("keeper", "/v1/collections/people/leakage")).json as {
      indexes: { index: string; tags: number; named: number }[];
    };
    assert.deepEqual(
      indexes.find(({ index }) => index === "born:range"),
      {
        ...{ collection: "people", index: "born:range", fields: ["born"], tags: 2, values: 1, named: 1, guessed: 1 },
        ...{ isAccepted: false, isTooMuch: false },
      },
    );
    assert.equal((await post("keeper", "documents")).status, 202);
    assert.equal((await until(ask, "keeper"))["state"], "done");
  });
});
