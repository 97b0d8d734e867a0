// Regions taken away and brought back under a running installation: what is promised for each number of regions left,
// and no restart in between.
import assert from "node:assert/strict";
import { after, before, suite, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { Installation, REGIONS } from "./installation.ts";
import { EXAMPLE_PEOPLE, PUBLIC_SAMPLE, readPeople } from "./people.ts";

interface Written {
  readonly version: number;
  readonly wraps: { readonly stored: number; readonly target: number; readonly missing: readonly string[] };
}

/** The configured overall deadline of two seconds, and room for a busy machine. */
const DEADLINE_MS = 2_000 + 3_000;

suite("regions lost and back", () => {
  const file = PUBLIC_SAMPLE ?? EXAMPLE_PEOPLE;
  const people = readPeople(file);
  const [first, second, third] = REGIONS;
  let installation: Installation;

  before(async () => {
    // Keys that are in memory would go on without any region.
    installation = await Installation.start({ settings: { STRONGROOM_KEY_CACHE_AGE_MS: "1" } });
    const imported = await installation.run(["import", "people", file, "--id", "id"]);
    assert.equal(imported.code, 0, imported.stderr);
  });
  after(() => installation[Symbol.asyncDispose]());

  async function readAll(): Promise<number> {
    let equal = 0;
    for (const person of people) {
      const answer = await installation.request("GET", `/v1/records/people/${encodeURIComponent(person.id)}`);
      if (answer.status === 200) {
        assert.deepEqual(await answer.json(), person);
        equal++;
      }
    }
    return equal;
  }

  test("the first region stopped: everyone is read, a write succeeds and names the missing wrap", async (context) => {
    await installation.region(first, "stop");
    assert.equal(await readAll(), people.length);
    const answer = await installation.request("PUT", "/v1/records/people/new-1", { name: "Written with two regions" });
    assert.equal(answer.status, 201);
    const { wraps } = (await answer.json()) as Written;
    assert.deepEqual(wraps, { stored: 2, target: 3, missing: [first] });
    context.diagnostic(`${people.length} of ${people.length} read`);
  });

  test("two of three stopped, minimum two: reads go on, a write is refused with the reason and nothing is stored", async () => {
    await installation.region(second, "stop");
    assert.equal(await readAll(), people.length);
    const answer = await installation.request("PUT", "/v1/records/people/new-2", { name: "Not written" });
    assert.equal(answer.status, 503);
    const problem = (await answer.json()) as { code: string; detail: string };
    assert.equal(problem.code, "wraps-below-minimum");
    assert.match(JSON.stringify(problem), new RegExp(first));
    assert.ok(answer.headers.get("retry-after"));
    assert.equal((await installation.request("GET", "/v1/records/people/new-2")).status, 404);
  });

  test("all stopped: 503 within the deadline, for reads and writes", async () => {
    await installation.region(third, "stop");
    for (const [method, body] of [
      ["GET", undefined],
      ["PUT", { name: "x" }],
    ] as const) {
      const started = performance.now();
      const answer = await installation.request(
        method,
        `/v1/records/people/${encodeURIComponent(people[0]!.id)}`,
        body,
      );
      assert.equal(answer.status, 503);
      assert.ok(performance.now() - started < DEADLINE_MS);
    }
  });

  test("the regions come back: reads and full writes without a restart", async () => {
    for (const region of REGIONS) await installation.region(region, "start");
    assert.equal(await eventually(readAll), people.length);
    const wraps = await eventually(async () => {
      const answer = await installation.request("PUT", "/v1/records/people/new-3", { name: "Written with all" });
      const written = answer.ok ? ((await answer.json()) as Written) : null;
      return written?.wraps.stored === 3 ? written.wraps : false;
    });
    assert.deepEqual(wraps, { stored: 3, target: 3, missing: [] });
  });
});

/** Tries again for ten seconds while the result is falsy or zero: a lost region is noticed again within five. */
async function eventually<T>(attempt: () => Promise<T>): Promise<T> {
  const end = performance.now() + 10_000;
  for (;;) {
    const result = await attempt();
    if (Boolean(result) || performance.now() > end) return result;
    await delay(200);
  }
}
