import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { test, type TestContext } from "node:test";
import { inspect } from "node:util";
import { CLIENT_ERRORS, ClientError, createClient, isClientError } from "@strongroom/client";
import { SERVER_ERRORS } from "@strongroom/server";
import { VAULT_ERRORS } from "@strongroom/vault";
import { json, madeUp, service } from "./support/service.ts";

/** What a promise is rejected with. */
async function thrownBy(promise: Promise<unknown>): Promise<ClientError> {
  const error = await promise.then(
    () => assert.fail("it is to be rejected"),
    (reason: unknown) => reason,
  );
  assert.ok(isClientError(error), inspect(error));
  return error;
}

const PROBLEM = {
  type: "urn:strongroom:error:regions-unavailable",
  title: "No region could open the record's data key",
  status: 503,
  code: "regions-unavailable",
  detail: "each of 3 failed",
  remedy: "Bring one back.",
  requestId: "r-1",
  regions: [{ region: "eu-west-1", reason: "timeout" }],
};

test("every code of the service has the row that its tables have", () => {
  for (const [code, row] of Object.entries({ ...SERVER_ERRORS, ...VAULT_ERRORS })) {
    if (!Object.hasOwn(CLIENT_ERRORS, code) || code === "aborted" || code === "option-invalid") continue;
    assert.deepEqual(CLIENT_ERRORS[code as keyof typeof CLIENT_ERRORS], row, code);
  }
  for (const [code, { title, remedy }] of Object.entries(CLIENT_ERRORS)) {
    assert.match(title, /^[A-Z].*[^.]$/, code);
    assert.match(remedy, /^.*\.$/, code);
  }
});

test("a problem of the service comes through whole", async () => {
  const error = await thrownBy(madeUp(() => json(PROBLEM, 503)).records.get("people", "ada"));
  assert.ok(error instanceof ClientError);
  const { code, reportedCode, status, title, detail, remedy, outcome, regions, requestId, problems } = error;
  assert.deepEqual(
    { code, reportedCode, status, title, detail, remedy, outcome, regions, requestId, problems },
    {
      code: "regions-unavailable",
      reportedCode: "regions-unavailable",
      status: 503,
      title: PROBLEM.title,
      detail: PROBLEM.detail,
      remedy: PROBLEM.remedy,
      outcome: "unavailable",
      regions: PROBLEM.regions,
      requestId: "r-1",
      problems: [],
    },
  );
});

test("a code of a newer service keeps what it says", async () => {
  const told = (status: number): Promise<ClientError> =>
    thrownBy(madeUp(() => json({ ...PROBLEM, code: "brand-new", status }, status)).collections());
  const { code, reportedCode, outcome, remedy } = await told(412);
  assert.deepEqual([code, reportedCode, outcome, remedy], ["unknown-code", "brand-new", "conflict", PROBLEM.remedy]);
  assert.equal((await told(500)).outcome, "failure");
  assert.equal((await told(418)).outcome, "failure");
});

test("a code that is not known comes to what its name or its status says", async () => {
  const outcomes: readonly (readonly [code: string, status: number, outcome: string])[] = [
    ["record-tampered-otherwise", 500, "refused"],
    ["record-moved-subject-field", 500, "refused"],
    ["slow-down", 429, "unavailable"],
    ["bad-gateway", 502, "unavailable"],
    ["gateway-timeout", 504, "unavailable"],
    ["length-required", 411, "usage"],
    ["uri-too-long", 414, "usage"],
    ["content-unprocessable", 422, "usage"],
    ["client-closed", 499, "interrupted"],
    ["brand-new", 507, "failure"],
  ];
  for (const [code, status, outcome] of outcomes) {
    const error = await thrownBy(madeUp(() => json({ ...PROBLEM, code, status }, status)).collections());
    assert.equal(error.outcome, outcome, code);
  }
});

test("a problem needs no more than its code", async () => {
  const { code, title, detail, remedy, outcome, requestId } = await thrownBy(
    madeUp(() => json({ code: "regions-unavailable" }, 503)).collections(),
  );
  const row = CLIENT_ERRORS["regions-unavailable"];
  assert.deepEqual(
    { code, title, detail, remedy, outcome, requestId },
    {
      code: "regions-unavailable",
      title: row.title,
      detail: null,
      remedy: row.remedy,
      outcome: "unavailable",
      requestId: null,
    },
  );
});

test("what is no answer of this service is unintelligible, and not shown", async () => {
  const answers: readonly (() => Response)[] = [
    () => new Response("<p>secret</p>", { headers: { "content-type": "text/html" } }),
    () => new Response('{"secret":'),
    () => new Response(""),
    () => json({ collections: [{ collection: 5, records: "secret" }] }),
    () => new Response("<p>secret</p>", { status: 502 }),
    () => json({ error: "secret" }, 404),
  ];
  for (const answer of answers) {
    const error = await thrownBy(madeUp(answer).collections());
    assert.equal(error.code, "unintelligible");
    assert.doesNotMatch(inspect(error), /secret/);
  }
  const { message } = await thrownBy(
    madeUp(() => json({ collections: [{ collection: "a", records: "b" }] })).collections(),
  );
  assert.match(message, /collections\/0\/records/);
  const record = { "strongroom-version": "1", "strongroom-subject": "ada" };
  for (const answer of [
    () => json({ secret: 1 }),
    () => json(["secret"], 200, record),
    () => new Response("{secret", { headers: record }),
  ]) {
    const error = await thrownBy(madeUp(answer).records.get("people", "ada"));
    assert.equal(error.code, "unintelligible");
    assert.doesNotMatch(inspect(error), /secret/);
  }
  assert.equal(
    (await thrownBy(madeUp(() => json({ results: [] })).records.putMany("p", [{ id: "1", document: {} }]))).code,
    "unintelligible",
  );
});

test("a newer service may say more than is known", async () => {
  const collections = [{ collection: "people", records: 1, news: true }];
  assert.deepEqual(await madeUp(() => json({ collections, more: 1 })).collections(), collections);
});

/** A server that does nothing but `answer`, ended after the test. */
async function listening(t: TestContext, answer: RequestListener): Promise<string> {
  const server = createServer(answer).listen(0, "127.0.0.1");
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  await once(server, "listening");
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

test("a service that is not there, or does not answer", async (t) => {
  const gone = createServer().listen(0, "127.0.0.1");
  await once(gone, "listening");
  const { port } = gone.address() as AddressInfo;
  gone.close();
  await once(gone, "close");
  const nobody = createClient({ url: `http://127.0.0.1:${port}`, token: "srt_secret" });
  const { code, outcome, status, message } = await thrownBy(nobody.health());
  assert.deepEqual([code, outcome, status], ["unreachable", "unavailable", null]);
  assert.ok(message.endsWith(`http://127.0.0.1:${port}: nothing listens there.`), message);

  const deaf = await listening(t, () => undefined);
  assert.equal((await thrownBy(createClient({ url: deaf, token: "t", timeoutMs: 50 }).health())).code, "timed-out");
  const slow = await listening(t, (_, response) => void response.writeHead(200).write("{"));
  assert.equal((await thrownBy(createClient({ url: slow, token: "t", timeoutMs: 200 }).health())).code, "timed-out");
});

test("a token does not follow a redirect", async (t) => {
  const asked: (string | undefined)[] = [];
  const url = await listening(t, (request, response) => {
    asked.push(request.url);
    response.writeHead(307, { location: "/stolen" }).end();
  });
  assert.equal((await thrownBy(createClient({ url, token: "t" }).collections())).code, "unreachable");
  assert.deepEqual(asked, ["/v1/collections"]);
});

test("a call ends when its caller gives up, or the client's", async (t) => {
  const { client } = await service(t);
  const reason = new Error("enough");
  const own = await thrownBy((await client("read")).collections({ signal: AbortSignal.abort(reason) }));
  assert.deepEqual([own.code, own.outcome, own.cause], ["aborted", "interrupted", reason]);
  const ended = await client("read", { signal: AbortSignal.abort(reason) });
  assert.equal((await thrownBy(ended.records.list("people").all())).code, "aborted");

  const ending = new AbortController();
  const waiting = madeUp(
    ({ signal }) =>
      new Promise<Response>((_, reject) => {
        signal.addEventListener("abort", () => {
          reject(signal.reason as Error);
        });
      }),
  ).regions({ signal: ending.signal });
  ending.abort(reason);
  assert.equal((await thrownBy(waiting)).code, "aborted");
});

test("wrong and missing rights are told apart", async (t) => {
  const { url, client } = await service(t);
  const stranger = createClient({ url, token: `srt_${"A".repeat(43)}` });
  assert.equal((await thrownBy(stranger.collections())).code, "token-invalid");
  const denied = await thrownBy((await client("read")).records.put("people", "ada", {}));
  assert.deepEqual([denied.code, denied.outcome, denied.status], ["scope-missing", "not-allowed", 403]);
});

test("an error is known by its form, also from another copy of the package", () => {
  const copy = Object.assign(new Error("x"), { name: "ClientError", code: "timed-out", outcome: "unavailable" });
  assert.ok(isClientError(copy));
  assert.ok(!isClientError(new Error("x")));
  assert.ok(!isClientError({ name: "ClientError", code: "timed-out", outcome: "unavailable" }));
});
