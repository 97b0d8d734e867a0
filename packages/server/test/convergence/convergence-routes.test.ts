/**
 * The routes of plan and run: what they take, what they answer, as whom they ask, and what the metrics tell of it.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { TestContext } from "node:test";
import type { Vault } from "@strongroom/vault";
import { madeConvergence, RUN } from "../../../../tests/support/made-convergence.ts";
import type { MadeConvergence } from "../../../../tests/support/made-convergence.ts";
import { call } from "../support/http.ts";
import { installation } from "../support/installation.ts";
import type { Installation } from "../support/installation.ts";

async function withConvergence(t: TestContext): Promise<Installation & { readonly made: MadeConvergence }> {
  const made = madeConvergence();
  return { ...(await installation(t, { front: made.front })), made };
}

const calls = ({ asked }: MadeConvergence): readonly unknown[] =>
  asked.filter(({ call: name }) => name !== "status").map(({ call: name, given }) => [name, ...given]);

test("a plan is asked for by what the query says, as whoever asks", async (t) => {
  const { origin, token, tokens, made } = await withConvergence(t);
  const query = "verify=0.25&keepOld=true&rate=12.5&material=current&scopes=false&fresh=true";
  const answer = await call(origin, `/v1/keys/plan?${query}`, { token: token.read });
  assert.equal(answer.status, 200, answer.text);
  assert.deepEqual(answer.json, made.plan);
  await call(origin, "/v1/keys/plan", { token: token.read });
  assert.deepEqual(calls(made), [
    ["plan", { verify: 0.25, keepOld: true, rate: 12.5, material: "current", scopes: false, fresh: true }],
    ["plan", {}],
  ]);
  const [reader] = (await tokens.list()).filter(({ scopes }) => scopes.includes("read"));
  assert.ok(made.asked.every(({ principal }) => principal === `token:${reader?.id ?? ""}`));
});

test("inventory, probe and failures are given", async (t) => {
  const { origin, token, made } = await withConvergence(t);
  const inventory = await call(origin, "/v1/keys/inventory", { token: token.read });
  assert.deepEqual(inventory.json, { lines: made.inventory });
  const key = "arn:aws:kms:eu-west-1:111122223333:key/1234";
  const probe = await call(origin, `/v1/keys/probe?key=${encodeURIComponent(key)}`, { token: token.read });
  assert.deepEqual([probe.status, probe.json.key, probe.json.items], [200, key, ["keys"]]);
  const failures = await call(origin, "/v1/keys/run/failures?limit=2&cursor=c", { token: token.read });
  assert.deepEqual(failures.json, made.failures);
  assert.deepEqual(calls(made), [["inventory"], ["probe", key], ["failures", { cursor: "c", limit: 2 }]]);
});

test("a run is begun, paused, resumed, undone and cancelled with a reason, by its token", async (t) => {
  const { origin, token, tokens, made } = await withConvergence(t);
  const post = (path: string, body?: object) =>
    call(origin, `/v1/keys/run${path}`, {
      method: "POST",
      token: token.admin,
      ...(body === undefined ? {} : { body }),
    });
  const [admin] = (await tokens.list()).filter(({ scopes }) => scopes.includes("admin"));
  const begun = await post("", { verify: 0.1, rate: 500, force: true });
  assert.deepEqual([begun.status, begun.json.run.by, begun.json.run.phase], [202, `token:${admin?.id ?? ""}`, "add"]);
  assert.deepEqual((await post("", {})).json.code, "run-under-way");
  assert.equal((await post("/pause", { reason: " the import first " })).json.run.state, "paused");
  assert.equal((await call(origin, "/v1/keys/run", { token: token.read })).json.run.reason, "the import first");
  assert.equal((await post("/resume")).json.run.state, "running");
  assert.equal((await post("/undo", { reason: "wrong keys" })).json.run.phase, "undo");
  assert.equal((await post("/cancel", { reason: "enough" })).json.run.state, "cancelled");
  const absent = await post("/pause", { reason: "again" });
  assert.deepEqual([absent.status, absent.json.code], [404, "run-absent"]);
  assert.deepEqual(calls(made).slice(0, 3), [
    ["apply", { verify: 0.1, rate: 500, force: true }],
    ["apply", {}],
    ["pause", "the import first"],
  ]);
});

test("what blocks a plan is told where a run is refused", async (t) => {
  const { origin, token, made } = await withConvergence(t);
  const message = "vault-2:12 is alive and does not know the declared keys";
  made.plan = { ...made.plan, problems: [{ code: "fleet-differs", message, blocks: true }] };
  const refused = await call(origin, "/v1/keys/run", { method: "POST", token: token.admin, body: {} });
  assert.deepEqual([refused.status, refused.json.code, refused.json.detail], [409, "run-refused", message]);
});

test("what is wrong is refused before the vault is asked", async (t) => {
  const { origin, token, made } = await withConvergence(t);
  for (const query of [
    "verify=1.1",
    "verify=-0.1",
    "verify=x",
    "rate=0",
    "rate=-1",
    "rate=1e9",
    "material=old",
    "keepOld=1",
    "fresh=yes",
    "force=true",
    "Rate=5",
  ])
    assert.equal(
      (await call(origin, `/v1/keys/plan?${query}`, { token: token.read })).json.code,
      "request-invalid",
      query,
    );
  for (const query of ["", "key=", `key=${"a".repeat(2049)}`, "arn=x", "key=a&key=b"])
    assert.equal((await call(origin, `/v1/keys/probe?${query}`, { token: token.read })).status, 400, query);
  const post = (path: string, body: object | string) =>
    call(origin, `/v1/keys/run${path}`, { method: "POST", token: token.admin, body });
  for (const body of [{ verify: "1" }, { verify: 2 }, { rate: 0 }, { keepOld: "true" }, { keepold: true }, [], "null"])
    assert.equal((await post("", body)).status, 400, JSON.stringify(body));
  for (const act of ["pause", "cancel", "undo"])
    for (const body of [
      {},
      { reason: "" },
      { reason: "  " },
      { reason: "a\nb" },
      { reason: "x".repeat(201) },
      { reason: 1 },
    ])
      assert.equal((await post(`/${act}`, body)).status, 400, JSON.stringify(body));
  assert.deepEqual(calls(made), []);
});

test("changing needs the scope admin", async (t) => {
  const { origin, token, made } = await withConvergence(t);
  for (const path of ["", "/pause", "/resume", "/cancel", "/undo"])
    for (const scope of ["read", "write", "audit"] as const) {
      const refused = await call(origin, `/v1/keys/run${path}`, { method: "POST", token: token[scope], body: {} });
      assert.deepEqual([refused.status, refused.json.code], [403, "scope-missing"], `${path} ${scope}`);
    }
  assert.deepEqual(calls(made), []);
});

test("a vault without a convergence says so", async (t) => {
  const made = madeConvergence();
  const { origin, token } = await installation(t, {
    front: (vault) => new Proxy<Vault>(made.front(vault), { get: without }),
  });
  for (const path of ["plan", "inventory", "run", "run/failures", "run/events", "probe?key=a"]) {
    const { status, json } = await call(origin, `/v1/keys/${path}`, { token: token.admin });
    assert.deepEqual([status, json.code], [501, "convergence-missing"], path);
  }
});

function without(target: object, name: string | symbol): unknown {
  if (name === "convergence") return undefined;
  const value: unknown = Reflect.get(target, name);
  if (typeof value !== "function") return value;
  const bound = (value as (...all: unknown[]) => unknown).bind(target);
  return name === "as" ? (actor: unknown) => new Proxy(bound(actor) as object, { get: without }) : bound;
}

test("the metrics tell what was last seen of a run, and ask for it once in ten seconds at most", async (t) => {
  const { origin, made } = await withConvergence(t);
  const page = async (): Promise<string> => (await call(origin, "/metrics")).text;
  assert.match(await page(), /^strongroom_convergence_done Nan$/m);
  made.run({ progress: { ...RUN.progress, done: 7, of: 10, failed: 2 } });
  // The first look was before the run.
  assert.match(await page(), /^strongroom_convergence_done Nan$/m);
  await call(origin, "/metrics");
  assert.equal(made.asked.filter(({ call: name }) => name === "status").length, 1);
});

test("the metrics tell phase, done, failed and remaining of a run", async (t) => {
  const { origin, made } = await withConvergence(t);
  made.run({ phase: "drop", progress: { ...RUN.progress, done: 7, of: 10, failed: 2, throttled: 5 } });
  await call(origin, "/metrics");
  const { text } = await call(origin, "/metrics");
  for (const line of ["done 7", "failed 2", "remaining 3", "throttled 5", "paused 0"])
    assert.match(text, new RegExp(`^strongroom_convergence_${line}$`, "m"));
  assert.match(text, /^strongroom_convergence_phase\{phase="drop"\} 1$/m);
  assert.match(text, /^strongroom_convergence_phase\{phase="add"\} 0$/m);
});
