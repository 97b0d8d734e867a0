/**
 * What the metrics say of a run, as it was last seen: nothing is counted for a page.
 */
import { Gauge } from "prom-client";
import type { Registry } from "prom-client";
import type { ConvergenceRun, RunPhase } from "@strongroom/vault";
import { lookedUp } from "../looked-up.ts";
import type { RunFeed } from "./run-feed.ts";

const PHASES: readonly RunPhase[] = ["flip", "add", "hold", "drop", "undo", "end"];

/** Adds them. A gauge of what was not seen is NaN: one that was never set would say 0. */
export function runMetrics(registry: Registry, feed: RunFeed): void {
  const page = lookedUp(registry);
  const gauge = (name: string, help: string, value: (run: ConvergenceRun) => number | null): void => {
    page.gauge(`strongroom_convergence_${name}`, help, () => {
      const run = feed.seenOrSoon()?.run ?? null;
      return (run === null ? null : value(run)) ?? Number.NaN;
    });
  };
  gauge("paused", "1 while the run is paused", ({ state }) => (state === "paused" ? 1 : 0));
  gauge("done", "Items of the run's phase that are done", ({ progress }) => progress.done);
  gauge("failed", "Items whose last try failed, and that are tried again", ({ progress }) => progress.failed);
  gauge("remaining", "Items of the run's phase that are left; NaN while that is not known", ({ progress }) =>
    progress.of === null ? null : Math.max(0, progress.of - progress.done),
  );
  gauge("throttled", "Calls of a KMS that were throttled in the run", ({ progress }) => progress.throttled);
  new Gauge({
    name: "strongroom_convergence_phase",
    help: "1 for the phase that the run is in; none is 1 before the first run",
    labelNames: ["phase"],
    registers: [registry],
    collect() {
      const run = feed.seenOrSoon()?.run ?? null;
      for (const phase of PHASES) this.set({ phase }, run?.phase === phase ? 1 : 0);
    },
  });
}
