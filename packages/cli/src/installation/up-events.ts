// What `strongroom up` says while it runs: a region that is lost or back, a KMS that ended or was started again.
import type { RegionHealth } from "@strongroom/envelope/aws-kms";
import type { KmsEvent, KmsProcess } from "./kms-process.ts";

/** How often the states are compared, in milliseconds. */
const POLL_EVERY_MS = 500;

/** A region that is down now, or up again. */
export interface RegionChange {
  readonly region: string;
  readonly state: "up" | "down";
  readonly reason: string | null;
}

/**
 * Calls `onChange` when a region is down now, or up again, as real calls have shown; that a healthy region is seen for
 * the first time is no change. Stopped by the returned function.
 */
export function onRegionChange(
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
  }, POLL_EVERY_MS);
  timer.unref();
  return () => {
    clearInterval(timer);
  };
}

/** What happened to the process of the KMS. */
export function kmsEventText(event: KmsEvent): string {
  switch (event.kind) {
    case "ended":
      return `The KMS process ended (${event.how}); starting it again in ${event.nextStartInMs / 1000} s.`;
    case "restarted":
      return "The KMS process serves again.";
    case "restart-failed":
      return `The KMS process did not start (${event.detail}); trying again in ${event.nextStartInMs / 1000} s.`;
  }
}

/** What happened to a region. */
export function regionChangeText({ region, state, reason }: RegionChange): string {
  return state === "up"
    ? `Region ${region} is back.`
    : `Region ${region} does not answer${reason === null ? "" : ` (${reason})`}.`;
}

/** That a region's port is another program's. */
export function takenPortText(region: string, why: string, { sockets }: Pick<KmsProcess, "sockets">): string {
  return region in sockets
    ? `The port of ${region} is in use, ${why} The service does not need it; others cannot reach the region. It is tried again.`
    : `Region ${region} DOES NOT SERVE: its port is in use, ${why} It is tried again.`;
}
