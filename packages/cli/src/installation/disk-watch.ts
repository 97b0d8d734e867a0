// When will the disk be full? From the room that was free at each hour, which is kept in the data folder: the service
// tells of it in its log and metrics long before, and the doctor reads the same file.
import { readFile } from "node:fs/promises";
import { roomOf } from "@strongroom/base/disk-reserve";
import { writeFileAtomic } from "@strongroom/base/files";
import type { Logger } from "pino";
import { z } from "zod";

/** The room that was free at a moment. */
export interface DiskSample {
  /** Milliseconds since the epoch. */
  readonly at: number;
  /** Bytes. */
  readonly free: number;
}

/** How the disk of a folder is, and what follows. */
export interface DiskOutlook {
  readonly free: number;
  /** Bytes a day that went, on the average of what was seen; null when too little was seen, or none went. */
  readonly perDay: number | null;
  /** When it is full if it goes on like this, in milliseconds since the epoch; null when that cannot be said. */
  readonly fullAt: number | null;
  /** Whether somebody should make room: little is left, or it is full within {@link ALARM}. */
  readonly alarm: boolean;
}

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
/** Samples that are kept: two weeks of hours. */
const MOST_SAMPLES = 336;
const GIBIBYTE = 1024 ** 3;

/** When somebody is told: so few bytes are free, or so few days are left. */
export const ALARM: { readonly bytes: number; readonly days: number } = { bytes: GIBIBYTE, days: 14 };

/** What follows from samples, oldest first, for now. */
export function outlook(samples: readonly DiskSample[], now: DiskSample): DiskOutlook {
  const first = samples.find(({ at }) => at < now.at);
  const elapsed = first === undefined ? 0 : now.at - first.at;
  const gone = first === undefined ? 0 : first.free - now.free;
  const perDay = elapsed >= HOUR && gone > 0 ? (gone / elapsed) * DAY : null;
  const fullAt = perDay === null ? null : now.at + (now.free / perDay) * DAY;
  const isSoon = fullAt !== null && fullAt - now.at < ALARM.days * DAY;
  return { free: now.free, perDay, fullAt, alarm: now.free < ALARM.bytes || isSoon };
}

const samplesSchema: z.ZodType<readonly DiskSample[]> = z
  .array(z.object({ at: z.int().min(0), free: z.number().min(0) }))
  .max(MOST_SAMPLES);

/** The samples of a file; none where it is missing or damaged: they only foretell. */
export async function readSamples(path: string): Promise<readonly DiskSample[]> {
  try {
    return samplesSchema.safeParse(JSON.parse(await readFile(path, "utf8"))).data ?? [];
  } catch {
    return [];
  }
}

/** The outlook of a folder's disk, from the samples that a service has kept in `path`; null without an answer. */
export async function readOutlook(folder: string, path: string): Promise<DiskOutlook | null> {
  const room = roomOf(folder);
  return room === null ? null : outlook(await readSamples(path), { at: Date.now(), free: room.free });
}

/** Watches the disk of a folder while a service runs. */
export interface DiskWatch {
  /** The outlook now; null where the system does not tell. */
  now(): DiskOutlook | null;
  close(): void;
}

/** Takes a sample an hour and keeps it in `path`; warns once a day while there is an alarm. */
export async function watchDisk(folder: string, path: string, logger: Logger): Promise<DiskWatch> {
  const samples = [...(await readSamples(path))];
  let warnedAt = 0;
  const now = (): DiskOutlook | null => {
    const room = roomOf(folder);
    return room === null ? null : outlook(samples, { at: Date.now(), free: room.free });
  };
  const look = (): void => {
    const at = Date.now();
    const found = now();
    if (found === null) return;
    if (at - (samples.at(-1)?.at ?? 0) >= HOUR) {
      samples.push({ at, free: found.free });
      if (samples.length > MOST_SAMPLES) samples.shift();
      // On a full disk it is not kept.
      void writeFileAtomic(path, `${JSON.stringify(samples)}\n`).catch(() => undefined);
    }
    if (!found.alarm || at - warnedAt < DAY) return;
    warnedAt = at;
    logger.warn(
      { freeBytes: found.free, fullAt: found.fullAt === null ? null : new Date(found.fullAt).toISOString() },
      "the disk is filling up: make room before writes are refused",
    );
  };
  look();
  const looking = setInterval(look, 60_000).unref();
  return {
    now,
    close: () => {
      clearInterval(looking);
    },
  };
}
