// The people of two stores, read side by side: who has records and no key, whose keys are nobody's, and where it ends.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { describe, it } from "node:test";
import type { SubjectId, SubjectRow } from "@strongroom/vault";
import { comparePeople, peopleFindings, type PeopleLists } from "../../src/doctor/people.ts";

const NOBODY = { subject: 0, tenant: 0 };
const ids = (count: number): readonly SubjectId[] =>
  Array.from({ length: count }, () => randomUUID() as unknown as SubjectId).toSorted();

/** The two lists, as stores give them. */
function lists(rows: readonly SubjectRow[], owners: readonly SubjectId[]): PeopleLists {
  const byId = new Map(rows.map((row) => [row.id, row]));
  const after = (id: SubjectId | null, all: readonly SubjectId[], limit: number): readonly SubjectId[] =>
    all.filter((one) => id === null || one > id).slice(0, limit);
  const sorted = [...byId.keys()].toSorted();
  return {
    subjects: {
      list: async (page) => after(page.after, sorted, page.limit).flatMap((id) => byId.get(id) ?? []),
      get: async (asked) => asked.map((id) => byId.get(id) ?? null),
    },
    keys: {
      people: async (page) => after(page.after, owners.toSorted(), page.limit),
      erased: async (asked) => asked.map(() => false),
    },
  };
}

const active = (id: SubjectId): SubjectRow => ({ id, state: "active", ordinals: NOBODY });
const { signal } = new AbortController();

describe("the people of both stores", () => {
  it("are compared over pages, wherever in the order somebody is missing", async () => {
    const all = ids(2500);
    const [first, middle, last] = [all[0], all[1200], all.at(-1)].flatMap((id) => id ?? []);
    const without = all.filter((id) => ![first, middle, last].includes(id));
    const keyless = await comparePeople(lists(all.map(active), without), { signal });
    assert.deepEqual([keyless.keyless, keyless.orphans, keyless.isWhole], [[first, middle, last], [], true]);
    const orphans = await comparePeople(lists(without.map(active), all), { signal });
    assert.deepEqual([orphans.keyless, orphans.orphans, orphans.people], [[], [first, middle, last], 2497]);
    const sound = await comparePeople(lists(all.map(active), all), { signal });
    assert.deepEqual(
      peopleFindings(sound).map(({ severity }) => severity),
      ["ok"],
    );
  });

  it("need no key when they are erased, and name twenty at most", async () => {
    const all = ids(30);
    const erased = all.map((id): SubjectRow => ({ id, state: "erased", ordinals: NOBODY }));
    assert.deepEqual((await comparePeople(lists(erased, []), { signal })).keyless, []);
    const [finding] = peopleFindings(await comparePeople(lists(all.map(active), []), { signal }));
    assert.equal(finding?.severity, "failure");
    assert.match(finding.detail, /^30 compared; 30 have records and no key: .*, and 10 more \[key-store-behind\]$/);
    assert.equal(finding.detail.match(/-4[0-9a-f]{3}-/g)?.length, 20);
  });

  it("are not all compared when it takes too long, which is said", async () => {
    const all = ids(10);
    const cut = await comparePeople(lists(all.map(active), all), { signal, longestMs: -1 });
    assert.equal(cut.isWhole, false);
    assert.match(peopleFindings(cut)[0]?.detail ?? "", /and not all/);
  });
});
