// Notices when a region's state changes, for the person in front of the terminal. It only looks at what real calls have
// shown.
import type { RegionHealth } from "@strongroom/envelope/aws-kms";

/** How often the states are compared, in milliseconds. */
const LOOK_EVERY_MS = 500;

/** A region that is down now, or up again. */
export interface RegionChange {
  readonly region: string;
  readonly state: "up" | "down";
  readonly reason: string | null;
}

/** Calls `onChange` for every change; the first sight of a healthy region is none. Stopped by the returned function. */
export function watchRegions(
  health: () => readonly RegionHealth[],
  onChange: (change: RegionChange) => void,
): () => void {
  const known = new Map<string, RegionHealth["state"]>();
  const timer = setInterval(() => {
    for (const { region, state, lastFailure } of health()) {
      const before = known.get(region) ?? "unknown";
      known.set(region, state);
      if (state === before || state === "unknown" || (state === "up" && before === "unknown")) continue;
      onChange({ region, state, reason: state === "down" ? (lastFailure?.kind ?? null) : null });
    }
  }, LOOK_EVERY_MS);
  timer.unref();
  return () => {
    clearInterval(timer);
  };
}
