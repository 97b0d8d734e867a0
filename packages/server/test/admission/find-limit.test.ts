/**
 * How often one token may find: by itself on a clock of the test's own, then through a service of real parts.
 */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { TestContext } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { date, email } from "@strongroom/vault/normalisers";
import { FindLimit } from "../../src/admission/find-limit.ts";
import { call } from "../support/http.ts";
import type { Answer } from "../support/http.ts";
import { installation } from "../support/installation.ts";
import type { Installation } from "../support/installation.ts";

describe("a limit of finds", () => {
  /** A limit and its clock. */
  function limited(findsPerMinute: number): { limit: FindLimit; goOn: (ms: number) => void; most: () => number } {
    // Not zero: a process is not as old as its clock.
    let now = 123_456.789;
    const limit = new FindLimit({ findsPerMinute }, () => now);
    const most = (): number => {
      for (let count = 0; ; count++) if (limit.find("t") !== null) return count;
    };
    return { limit, goOn: (ms) => (now += ms), most };
  }

  for (const perMinute of [1, 7, 60, 600, 10_000])
    test(`of ${perMinute} a minute gives as many at once, and then no more than that in each minute`, () => {
      const { goOn, most } = limited(perMinute);
      assert.equal(most(), perMinute);
      assert.equal(most(), 0);
      goOn(30_000);
      assert.equal(most(), Math.floor(perMinute / 2));
      goOn(30_000);
      assert.equal(most(), Math.ceil(perMinute / 2));
      goOn(3_600_000);
      assert.equal(most(), perMinute, "what is not used does not come together");
    });

  test("says when to come again, and it is right", () => {
    const { limit, goOn, most } = limited(6);
    most();
    const refusal = limit.find("t");
    assert.deepEqual([refusal?.code, refusal?.retryAfterSeconds], ["find-limit", 10]);
    goOn(9_000);
    assert.equal(limit.find("t")?.retryAfterSeconds, 1);
    goOn(1_000);
    assert.equal(limit.find("t"), null);
    assert.equal(limit.refused, 3);
  });

  test("is each token's own", () => {
    const { limit, most } = limited(3);
    most();
    assert.equal(limit.find("other"), null);
    assert.equal(limit.find("t")?.code, "find-limit");
  });

  test("counts values that are taken, also beyond the limit: they are owed", () => {
    const { limit, goOn } = limited(60);
    limit.told("t", "people", 150);
    assert.equal(limit.find("t")?.retryAfterSeconds, 91);
    assert.equal(limit.write("t", "people")?.code, "find-limit");
    assert.equal(limit.write("t", null)?.code, "find-limit", "nobody knows yet of which collection it is");
    assert.equal(limit.write("t", "orders"), null, "no value was taken there");
    assert.equal(limit.write("other", "people"), null);
    goOn(91_000);
    assert.equal(limit.write("t", "people"), null);
    assert.equal(limit.find("t"), null);
  });

  test("refuses no write for finds alone", () => {
    const { limit, most } = limited(60);
    limit.told("t", "people", 1);
    assert.equal(most(), 59);
    assert.equal(limit.write("t", "people"), null);
  });

  test("remembers tokens for as long as they owe something, and takes up no more room", () => {
    const { limit, goOn } = limited(60);
    for (let token = 0; token < 1000; token++) limit.find(`t${token}`);
    limit.told("owes", "people", 100);
    assert.equal(limit.size, 1001, "nobody is let off");
    goOn(2_000);
    limit.find("new");
    assert.equal(limit.size, 2);
    assert.equal(limit.find("owes")?.code, "find-limit");
  });
});

describe("a service", () => {
  const FIELDS = { email: { find: email(), unique: true }, born: { find: date(), buckets: "month" } } as const;
  const QUERY = { query: { email: "ada@example.com" } };

  interface Service extends Installation {
    readonly find: (token: string, at?: string) => Promise<Answer>;
    readonly put: (token: string, path: string, body: object) => Promise<Answer>;
    readonly batch: (token: string, addresses: readonly string[]) => Promise<Answer>;
  }

  async function service(t: TestContext, findsPerMinute: number): Promise<Service> {
    const made = await installation(t, {
      ...{ keys: {}, isAudited: true, limits: { findsPerMinute } },
      declared: { people: { fields: FIELDS } },
    });
    await made.vault.put({ collection: "people", id: "ada" }, { email: "ada@example.com" }, { subject: "ada" });
    const post = (token: string, path: string, body: object): Promise<Answer> =>
      call(made.origin, path, { method: "POST", token, body });
    return {
      ...made,
      find: (token, at = "") => post(token, `/v1/records/people/find${at}`, QUERY),
      put: (token, path, body) => call(made.origin, `/v1/records/${path}`, { method: "PUT", token, body }),
      batch: (token, addresses) => {
        const records = addresses.map((address, place) => ({ id: `new-${place}`, document: { email: address } }));
        return post(token, "/v1/records/people", { records, onExisting: "replace" });
      },
    };
  }

  const codes = (answers: readonly Answer[]): readonly string[] =>
    answers.map(({ status, json }) => `${status} ${json?.code ?? ""}`.trim());
  const REFUSED = "429 find-limit";

  test("refuses finds, counts and explanations beyond the limit, and of one token alone", async (t) => {
    const { find, origin, token, app } = await service(t, 3);
    const given = [await find(token.read), await find(token.read, "/count"), await find(token.read, "/explain")];
    assert.deepEqual(codes(given), ["200", "200", "200"]);
    const refused = [await find(token.read), await find(token.read, "/count"), await find(token.read, "/explain")];
    assert.deepEqual(codes(refused), [REFUSED, REFUSED, REFUSED]);
    for (const { headers, text } of refused) {
      const seconds = Number(headers["retry-after"]);
      assert.ok(seconds >= 10 && seconds <= 20, `one comes back in 20 s, not in ${seconds}`);
      assert.doesNotMatch(text, /ada/);
    }
    assert.equal((await call(origin, "/v1/records/people/ada", { token: token.read })).status, 200, "reads go on");
    assert.equal((await call(origin, "/v1/records/people", { token: token.read })).status, 200);
    assert.equal((await find(token.admin)).status, 200, "another token has its own");
    const { text } = await call(origin, "/metrics");
    assert.match(text, /^strongroom_admission_refused_total\{reason="find-limit"\} 3$/m);
    assert.match(text, /^strongroom_admission_refused_total\{reason="token-limit"\} 0$/m);
    await app.close();
  });

  test("gives a token a find again in time", async (t) => {
    const { find, token } = await service(t, 120);
    const beganAt = performance.now();
    let given = 0;
    while (given < 1000 && (await find(token.read, "/explain")).status === 200) given++;
    const comeBack = Math.floor((performance.now() - beganAt) / 500);
    assert.ok(given >= 120 && given <= 121 + comeBack, `${given}`);
    await delay(600);
    assert.equal((await find(token.read)).status, 200);
  });

  test("tells the audit who was refused, in one entry", async (t) => {
    const { find, token, tokens, app, vault } = await service(t, 1);
    for (let time = 0; time < 4; time++) await find(token.read, time === 3 ? "/count" : "");
    await app.close();
    await vault.audit?.sequence();
    const id = (await tokens.list()).find(({ name }) => name === "test read")?.id;
    const told = (await vault.audit?.events({ action: "find" }))?.events ?? [];
    const refused = told.filter(({ result }) => result === "find-limit");
    assert.deepEqual(
      refused.map(({ principal, details }) => [principal, details["count"]]),
      [[`token:${id}`, 3]],
    );
  });

  test("counts a value that is taken as a find, in a write and in each record of a batch", async (t) => {
    const { find, put, batch, token } = await service(t, 4);
    const taken = { email: "ADA@example.com" };
    assert.deepEqual(codes([await put(token.admin, "people/new", taken)]), ["409 value-taken"]);
    const { json } = await batch(token.admin, ["ada@example.com", "bob@example.com", "ada@example.com"]);
    assert.deepEqual(
      (json.results as { code?: string }[]).map(({ code = "written" }) => code),
      ["value-taken", "written", "value-taken"],
    );
    assert.deepEqual(codes([await find(token.admin), await find(token.admin)]), ["200", REFUSED]);
    assert.equal((await put(token.admin, "people/bob", { email: "b@example.com" })).status, 201, "writes go on");
  });

  test("refuses writes of a token that was told of too many values, where a field is unique", async (t) => {
    const { find, put, batch, origin, token } = await service(t, 4);
    await batch(
      token.admin,
      Array.from({ length: 4 }, () => "ada@example.com"),
    );
    const rectified = await call(origin, "/v1/subjects/rectify", {
      ...{ method: "POST", token: token.admin },
      body: { subject: "ada", collection: "people", id: "ada", changes: { born: "1815-12-10" }, reason: "asked" },
    });
    const refused = [
      await put(token.admin, "people/new", { email: "new@example.com" }),
      await batch(token.admin, ["new@example.com"]),
      rectified,
      await find(token.admin),
    ];
    assert.deepEqual(codes(refused), [REFUSED, REFUSED, REFUSED, REFUSED]);
    assert.equal((await put(token.admin, "orders/1", {})).status, 201, "another collection");
    assert.equal((await call(origin, "/v1/records/people/ada", { token: token.admin })).status, 200);
    const removed = await call(origin, "/v1/records/people/ada", { method: "DELETE", token: token.admin });
    assert.equal(removed.status, 200);
    assert.equal((await find(token.read)).status, 200);
  });
});
