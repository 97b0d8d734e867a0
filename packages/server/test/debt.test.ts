/**
 * Owed wraps and the regions' numbers as whoever runs the service sees them: /v1/regions, /v1/regions/debt, /readyz,
 * /metrics.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { call } from "./support/http.ts";
import { installation } from "./support/installation.ts";

const QUICK = { intervalMs: 100, lookMs: 10, regionWaitMs: 20, longestRegionWaitMs: 50 };
const PATIENT = { attemptTimeoutMs: 8_000, deadlineMs: 20_000, breakerFirstRestMs: 20, breakerLongestRestMs: 40 };

test("what is owed is counted, listed page by page, no reason not to be ready, and paid when the region is back", async (t) => {
  const { origin, token, kms } = await installation(t, { repair: QUICK, keyring: PATIENT });
  await kms.stopRegion("eu-west-2");
  for (const id of ["a", "b", "c"])
    await call(origin, `/v1/records/people/${id}`, { token: token.write, body: { id } });
  // As the repair sees it, at its next look.
  const regions = (): ReturnType<typeof call> => call(origin, "/v1/regions", { token: token.read });
  while ((await regions()).json.wrapDebt.items !== 3) await new Promise((resolve) => setTimeout(resolve, 20));
  const { json } = await regions();
  assert.equal(json.wrapDebt.capped, false);
  assert.ok(Date.parse(json.wrapDebt.at) <= Date.now());
  assert.equal(json.wrapDebt.oldest, json.wrapDebt.regions[0].oldest);
  assert.ok(Number.isInteger(json.wrapDebt.oldestSeconds));
  assert.ok(["resting", "working"].includes(json.repair.state));
  const lost = json.regions[1];
  assert.deepEqual([lost.region, lost.state, Object.keys(lost.failuresByKind)], ["eu-west-2", "down", ["refused"]]);
  assert.ok(["open", "half-open"].includes(lost.breaker.state) || lost.failures < 3);
  assert.ok(lost.extraCalls <= lost.calls);
  assert.ok(json.totals.writes >= 3 && json.totals.writesBelowTarget >= 3);

  const first = await call(origin, "/v1/regions/debt?limit=2", { token: token.read });
  const second = await call(origin, `/v1/regions/debt?limit=2&cursor=${first.json.next}`, { token: token.read });
  const items = [...first.json.items, ...second.json.items] as readonly {
    readonly collection: string;
    readonly id: string;
    readonly version: number;
    readonly regions: readonly { readonly region: string }[];
  }[];
  assert.deepEqual(
    items
      .map(({ collection, id, version, regions: owing }) => `${collection}/${id} ${version} ${owing[0]?.region ?? ""}`)
      .sort(),
    ["people/a 1 eu-west-2", "people/b 1 eu-west-2", "people/c 1 eu-west-2"],
  );
  assert.equal(second.json.next, null);
  const ready = await call(origin, "/readyz");
  assert.deepEqual([ready.status, ready.json.wrapDebt], [200, { items: 3 }]);
  assert.match((await call(origin, "/metrics")).text, /^strongroom_wrap_debt_versions 3$/m);

  await kms.startRegion("eu-west-2");
  while ((await call(origin, "/readyz")).json.wrapDebt.items > 0)
    await new Promise((resolve) => setTimeout(resolve, 20));
  const after = (await regions()).json;
  const { at, ...owed } = after.wrapDebt;
  assert.ok(Date.parse(at) >= Date.parse(json.wrapDebt.at));
  assert.deepEqual(
    [after.repair.repaired, owed],
    [3, { items: 0, oldest: null, oldestSeconds: null, regions: [], capped: false }],
  );
  assert.deepEqual((await call(origin, "/v1/regions/debt", { token: token.read })).json, { items: [], next: null });
});

test("the list of debts needs a token, and refuses what it does not know", async (t) => {
  const { origin, token } = await installation(t);
  assert.equal((await call(origin, "/v1/regions/debt")).status, 401);
  for (const query of ["limit=0", "limit=x", "cursor=!", "cursor=e30", "color=red"])
    assert.equal((await call(origin, `/v1/regions/debt?${query}`, { token: token.read })).status, 400, query);
});

/** `name{label="value",…} 1` -> name, labels and value. */
function samples(
  text: string,
): readonly { readonly name: string; readonly labels: Readonly<Record<string, string>>; readonly value: number }[] {
  return text
    .split("\n")
    .filter((line) => line !== "" && !line.startsWith("#"))
    .map((line) => {
      const [, name = "", inside = "", value = ""] = /^(\w+)(?:\{(.*)\})? (\S+)$/.exec(line) ?? assert.fail(line);
      return {
        name,
        labels: Object.fromEntries(
          [...inside.matchAll(/(\w+)="([^"]*)"/g)].map(([, label = "", of = ""]) => [label, of]),
        ),
        value: Number(value),
      };
    });
}

test("metrics need no token, count requests and calls, and hold nobody's data and no id", async (t) => {
  const { origin, token, kms } = await installation(t, { repair: QUICK, keyring: PATIENT });
  const secret = "lovelace-1815";
  await kms.stopRegion("eu-central-1");
  await call(origin, `/v1/records/people/${secret}`, {
    token: token.write,
    body: { secret },
    headers: { "strongroom-subject": `of-${secret}` },
  });
  await call(origin, `/v1/records/people/${secret}`, { token: token.read });
  await call(origin, `/v1/records/people/${secret}`);
  await call(origin, `/${secret}`, { method: "PATCH" });
  while (!/^strongroom_wrap_debt_versions 1$/m.test((await call(origin, "/metrics")).text))
    await new Promise((resolve) => setTimeout(resolve, 20));
  const page = await call(origin, "/metrics");
  assert.equal(page.status, 200);
  assert.match(page.headers["content-type"] ?? "", /^text\/plain/);
  for (const word of [secret, "people", "arn:", "srt_", ...Object.values(token)])
    assert.ok(!page.text.includes(word), word);
  const all = samples(page.text);
  const value = (name: string, labels: Readonly<Record<string, string>>): number =>
    all
      .filter(
        (sample) => sample.name === name && Object.entries(labels).every(([label, of]) => sample.labels[label] === of),
      )
      .reduce((sum, sample) => sum + sample.value, 0);
  const route = "/v1/records/:collection/:id";
  assert.equal(value("strongroom_http_requests_total", { method: "PUT", route, status: "201" }), 1);
  assert.equal(value("strongroom_http_requests_total", { method: "GET", route, status: "200" }), 1);
  assert.equal(value("strongroom_http_requests_total", { method: "GET", route, status: "401" }), 1);
  assert.equal(value("strongroom_http_requests_total", { route: "none", method: "any", status: "404" }), 1);
  assert.equal(value("strongroom_http_request_duration_seconds_count", { route }), 3);
  assert.ok(
    value("strongroom_kms_calls_total", { region: "eu-west-1", operation: "GenerateDataKey", outcome: "answered" }) >=
      1,
  );
  assert.ok(value("strongroom_kms_calls_total", { region: "eu-central-1", outcome: "refused" }) >= 1);
  assert.ok(value("strongroom_kms_call_duration_seconds_count", { region: "eu-west-1" }) >= 2);
  assert.equal(value("strongroom_region_breaker", { region: "eu-west-1", state: "closed" }), 1);
  assert.equal(value("strongroom_region_breaker", { region: "eu-central-1" }), 1, "one state at a time");
  assert.equal(value("strongroom_region_up", { region: "eu-west-1" }), 1);
  assert.equal(value("strongroom_wrap_debt_versions", {}), 1);
  assert.equal(value("strongroom_wrap_debt_wraps", { region: "eu-central-1" }), 1);
  assert.equal(value("strongroom_wrap_debt_capped", {}), 0);
  assert.ok(value("strongroom_wrap_debt_age_seconds", {}) >= 0, "the page says how old what it says is");
  assert.ok(value("strongroom_keyring_decisions_total", { decision: "write" }) >= 1);
  await kms.startRegion("eu-central-1");
  while (!/^strongroom_repairs_total\{outcome="repaired"\} 1$/m.test((await call(origin, "/metrics")).text))
    await new Promise((resolve) => setTimeout(resolve, 20));
  // What is paid is gone from the page at the next look.
  while (/^strongroom_wrap_debt_wraps\{/m.test((await call(origin, "/metrics")).text))
    await new Promise((resolve) => setTimeout(resolve, 20));
});

interface ListedJob {
  readonly job: string;
  readonly done: number;
  readonly states: Readonly<Record<"waiting" | "due" | "running" | "finished", number>>;
  readonly partitions: readonly { readonly holder: string | null }[];
}

test("jobs are listed with what the repair did, without the places where it goes on", async (t) => {
  const { origin, token, kms } = await installation(t, { repair: QUICK, keyring: PATIENT });
  await kms.stopRegion("eu-west-2");
  await call(origin, "/v1/records/people/a", { token: token.write, body: {} });
  await kms.startRegion("eu-west-2");
  const jobs = async (): Promise<readonly ListedJob[]> =>
    ((await call(origin, "/v1/jobs", { token: token.read })).json as { readonly jobs: readonly ListedJob[] }).jobs;
  while ((await jobs()).every(({ done }) => done < 1)) await new Promise((resolve) => setTimeout(resolve, 20));
  const [repair] = await jobs();
  assert.equal(repair?.job, "repair");
  const { waiting, due, running, finished } = repair.states;
  assert.equal(waiting + due + running + finished, repair.partitions.length);
  assert.ok(repair.partitions.some(({ holder }) => typeof holder === "string"));
  for (const partition of repair.partitions)
    assert.deepEqual(
      Object.keys(partition).filter((name) => ["cursor", "fence"].includes(name)),
      [],
    );
  assert.equal((await call(origin, "/v1/jobs", { token: token.write })).status, 403);
});

test("metrics, health and readiness ask the store for nothing that is counted", async (t) => {
  const { origin, vault } = await installation(t);
  const counted: string[] = [];
  for (const name of ["wrapDebt", "collections", "debts", "jobs"] as const) {
    const counting = vault[name].bind(vault) as () => Promise<never>;
    Object.assign(vault, {
      [name]: () => {
        counted.push(name);
        return counting();
      },
    });
  }
  for (const path of ["/metrics", "/readyz", "/healthz", "/metrics"])
    assert.equal((await call(origin, path)).status, 200, path);
  assert.deepEqual(counted, []);
});

test("metrics are shown also when the store does not answer", async (t) => {
  const { origin, vault } = await installation(t);
  await vault.close();
  const page = await call(origin, "/metrics");
  assert.equal(page.status, 200);
  assert.match(page.text, /strongroom_http_requests_total/);
  const ready = await call(origin, "/readyz");
  assert.deepEqual([ready.status, ready.json.wrapDebt], [503, null]);
});
