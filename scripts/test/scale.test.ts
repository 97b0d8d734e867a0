// The page docs/scale.md and its picture are what the model computes, and the model of the cache is what a fleet does that
// is played out request by request. tests/end-to-end/scale.test.ts holds the calls against a KMS.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, test } from "node:test";
import { NUMBERS, type Numbers } from "../scale/assumptions.ts";
import { opensPerVisit, populationOf, rotating, secondsAt, callsOf, dollarsOf, type Routing } from "../scale/model.ts";
import { scalePage } from "../scale/page.ts";
import { scalePicture } from "../scale/picture.ts";
import type { MeasuredSizes } from "../scale/row-sizes.ts";

const docs = (name: string): string => readFileSync(new URL(`../../docs/${name}`, import.meta.url), "utf8");

test("docs/scale.md and its picture say what the model computes", () => {
  const sizes = JSON.parse(docs("scale-sizes.json")) as MeasuredSizes;
  assert.equal(docs("scale.md"), scalePage(NUMBERS, sizes), "run `npm run scale -- --write` and read the difference");
  assert.equal(docs("pictures/scale.svg"), scalePicture(NUMBERS), "run `npm run scale -- --write`");
});

test("a million people in three regions, verified: six million calls, 33 minutes at a thousand a second and region", () => {
  const lines = rotating("subject", populationOf(1e6, NUMBERS), { ...NUMBERS, ownKeys: 0, regions: 3, verify: true });
  const calls = callsOf(lines, { regions: 3 });
  assert.equal(calls, 6e6);
  assert.equal(secondsAt(1_000, lines), 2_000);
  assert.equal(dollarsOf(calls, { ...NUMBERS, dollarsPer10000: 0.03 }), 18);
});

/** Repeats itself: a generator of the form x -> a x + c. */
function numbersFrom(seed: number): () => number {
  let state = seed;
  return () => (state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0) / 2 ** 32;
}

interface Played extends Pick<Numbers, "cacheSeconds" | "cacheKeys" | "visitSeconds" | "readsPerVisit"> {
  readonly visits: number;
  readonly processes: number;
  readonly routing: Routing;
}

/** Opens a visit, of a fleet whose caches each let go of the oldest key, by age and by number. */
function played({ visits, processes, routing, ...rules }: Played): number {
  const random = numbersFrom(7);
  const seconds = 20 * rules.visitSeconds;
  const requests = Array.from({ length: visits * seconds }, (_, person) => {
    const began = random() * seconds;
    const own = Math.floor(random() * processes);
    return Array.from({ length: rules.readsPerVisit }, () => ({
      person,
      at: began + random() * rules.visitSeconds,
      process: routing === "together" ? own : Math.floor(random() * processes),
    }));
  }).flat();
  const caches = Array.from({ length: processes }, () => new Map<number, number>());
  let [opens, counted] = [0, 0];
  for (const { person, at, process } of requests.sort((a, b) => a.at - b.at)) {
    const cache = caches[process]!;
    const isCounted = at > seconds / 2;
    if (isCounted) counted++;
    if ((cache.get(person) ?? -Infinity) > at - rules.cacheSeconds) continue;
    if (isCounted) opens++;
    cache.delete(person);
    cache.set(person, at);
    const [oldest] = cache.keys();
    if (cache.size > rules.cacheKeys && oldest !== undefined) cache.delete(oldest);
  }
  return (opens / counted) * rules.readsPerVisit;
}

describe("how often a key is opened in a visit: the most that may come of it, and not much more", () => {
  const usual = { visits: 20, processes: 4, cacheSeconds: 300, cacheKeys: 10_000, visitSeconds: 60, readsPerVisit: 10 };
  const cases: Readonly<Record<string, Played>> = {
    "all of somebody's requests to one process": { ...usual, routing: "together" },
    "to any of four": { ...usual, routing: "anywhere" },
    "a cache that is younger than the visit": { ...usual, cacheSeconds: 15, routing: "anywhere" },
    "a cache that is too small": { ...usual, cacheKeys: 300, routing: "anywhere" },
    "far more processes than requests": { ...usual, processes: 60, routing: "anywhere" },
  };
  for (const [name, { routing, ...one }] of Object.entries(cases))
    test(name, () => {
      const opens = played({ ...one, routing });
      const traffic = { visits: one.visits, processes: one.processes, requests: one.visits * one.readsPerVisit };
      const model = opensPerVisit(traffic, routing, { ...NUMBERS, ...one, writesPerVisit: 0 });
      assert.ok(model > opens * 0.97 && model < opens * 1.35, `${model} computed, ${opens} played`);
    });
});
