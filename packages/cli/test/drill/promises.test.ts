import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type PhaseFigures, phaseFigures } from "../../src/drill/figures.ts";
import type { OutageReport, PhaseName } from "../../src/drill/outage.ts";
import { type Evidence, judge, type PromiseName } from "../../src/drill/promises.ts";
import { PROMISED } from "../../src/drill/settings.ts";

const QUIET: PhaseFigures = { ...phaseFigures([], { from: 0, to: 1000 }), reads: 100, writes: 20 };
const NOTHING_WRONG = { versions: 120, problems: {} };

function outage(phase: PhaseName, figures: Partial<PhaseFigures>, rest: Partial<OutageReport> = {}): OutageReport {
  return {
    fault: "refused",
    regions: ["eu-west-1"],
    phases: { healthy: QUIET, lost: QUIET, back: QUIET, [phase]: { ...QUIET, ...figures } },
    hits: null,
    failoverMs: 100,
    noticedMs: 1000,
    debt: { most: 5, paidMs: 2000 },
    at: { began: 0, lost: 1, back: 2, ended: 3 },
    ...rest,
  };
}

function evidence(said: Partial<Evidence>): Evidence {
  return {
    regions: 3,
    minimum: 2,
    deadlineMs: 2000,
    outages: [outage("lost", {})],
    fewestWraps: 2,
    readBack: NOTHING_WRONG,
    alone: [{ region: "eu-west-1", ...NOTHING_WRONG, wasAsked: true }],
    ...said,
  };
}

function broken(said: Partial<Evidence>): readonly PromiseName[] {
  return judge(evidence(said))
    .filter(({ outcome }) => outcome === "broken")
    .map(({ promise }) => promise);
}

describe("the promises", () => {
  it("are all kept where nothing went wrong", () => {
    assert.deepEqual([...new Set(judge(evidence({})).map(({ outcome }) => outcome))], ["kept"]);
  });

  const cases: readonly {
    readonly what: string;
    readonly said: Partial<Evidence>;
    readonly breaks: readonly PromiseName[];
  }[] = [
    {
      what: "a read that failed while a region was lost",
      said: { outages: [outage("lost", { failedReads: 1 })] },
      breaks: ["reads-go-on"],
    },
    {
      what: "a read that failed after it was back",
      said: { outages: [outage("back", { failedReads: 1 })] },
      breaks: ["reads-go-on"],
    },
    { what: "a write that failed", said: { outages: [outage("lost", { failedWrites: 1 })] }, breaks: ["writes-go-on"] },
    {
      what: "a write refused although enough regions answer",
      said: { outages: [outage("lost", { refusedWrites: 1 })] },
      breaks: ["writes-go-on"],
    },
    {
      what: "a write refused because too few regions answer",
      said: { outages: [outage("lost", { refusedWrites: 9 }, { regions: ["eu-west-1", "eu-west-2"] })] },
      breaks: [],
    },
    {
      what: "a write refused before two regions were lost",
      said: { outages: [outage("healthy", { refusedWrites: 1 }, { regions: ["eu-west-1", "eu-west-2"] })] },
      breaks: ["writes-go-on"],
    },
    { what: "a write acknowledged below the minimum", said: { fewestWraps: 1 }, breaks: ["minimum-held"] },
    { what: "no write acknowledged at all", said: { fewestWraps: null }, breaks: [] },
    {
      what: "an acknowledged write that is gone",
      said: { readBack: { versions: 120, problems: { "record-absent": 1 } } },
      breaks: ["nothing-lost"],
    },
    {
      what: "a record that one region does not open",
      said: {
        alone: [{ region: "eu-west-2", versions: 120, problems: { "regions-unavailable": 3 }, wasAsked: false }],
      },
      breaks: ["every-region-opens"],
    },
    {
      what: "a call past the deadline",
      said: { outages: [outage("lost", { slowestMs: 2000 + PROMISED.overDeadlineMs + 1 })] },
      breaks: ["deadline-held"],
    },
    {
      what: "a call at the deadline",
      said: { outages: [outage("lost", { slowestMs: 2000 + PROMISED.overDeadlineMs })] },
      breaks: [],
    },
    {
      what: "a return that was noticed late",
      said: { outages: [outage("lost", {}, { noticedMs: PROMISED.noticedMs + 1 })] },
      breaks: ["return-noticed"],
    },
    {
      what: "a return that was not noticed",
      said: { outages: [outage("lost", {}, { noticedMs: null })] },
      breaks: ["return-noticed"],
    },
    {
      what: "a debt that was paid late",
      said: { outages: [outage("lost", {}, { debt: { most: 5, paidMs: PROMISED.debtMs + 1 } })] },
      breaks: ["debt-paid"],
    },
    {
      what: "a debt that was not paid, with nothing read from each region alone",
      said: { outages: [outage("lost", {}, { debt: { most: 5, paidMs: null } })], alone: null },
      breaks: ["debt-paid"],
    },
  ];
  for (const { what, said, breaks } of cases) {
    it(`${breaks.length === 0 ? "bear" : "are broken by"} ${what}`, () => {
      assert.deepEqual(broken(said), breaks);
    });
  }

  it("say where they were broken, and how often", () => {
    const [result] = judge(
      evidence({ outages: [outage("back", { failedReads: 2, codes: { "deadline-exceeded": 2 } })] }),
    );
    assert.deepEqual(result?.problems, ["refused in eu-west-1, back: 2 of 100 reads failed (deadline-exceeded 2)"]);
  });

  it("are not called kept where nothing was tested", () => {
    const asked = { region: "eu-west-1", ...NOTHING_WRONG, wasAsked: true };
    for (const alone of [null, [asked, { ...asked, region: "eu-west-2", wasAsked: false }]])
      assert.equal(
        judge(evidence({ alone })).find(({ promise }) => promise === "every-region-opens")?.outcome,
        "not-tested",
      );
  });
});
