/**
 * @strongroom/base/terminal/progress: a progress bar with rate and remaining time. Only on a terminal and only on
 * standard error, so that piped output stays clean.
 */
import { type Options, SingleBar } from "cli-progress";
import { duration, printable, type Terminal } from "./terminal.ts";

/** Shows how far a job is. Every method is safe to call whether or not a bar is shown. */
export interface Progress {
  /** `position` counts towards the total (bytes or records); `records` is what the person sees counted. */
  update(position: number, records: number): void;
  stop(): void;
}

/** What a bar is about: `total` in the unit of `update`'s position, or null where it is not known (standard input). */
export interface ProgressOptions {
  readonly label: string;
  readonly total: number | null;
}

const SILENT: Progress = { update: () => undefined, stop: () => undefined };

/** Starts a bar, or a silent stand-in where standard error is not a terminal or the output is JSON. */
export function startProgress(terminal: Terminal, { label, total }: ProgressOptions): Progress {
  if (!terminal.stderr.isTTY || terminal.mode === "json") return SILENT;
  const shown = printable(label);
  const startedAt = performance.now();
  const bar = new SingleBar({
    stream: terminal.barStream,
    hideCursor: true,
    clearOnComplete: true,
    stopOnComplete: false,
    fps: 10,
    barsize: 28,
    barCompleteChar: "━",
    barIncompleteChar: "─",
    format: format(total),
  });
  const payload = (position: number, records: number): Record<string, string> => {
    const seconds = (performance.now() - startedAt) / 1000;
    return { label: shown, records: records.toLocaleString("en"), ...pace({ seconds, position, records, total }) };
  };
  bar.start(total ?? 1, 0, payload(0, 0));
  return {
    update: (position, records) => {
      bar.update(total === null ? 0 : Math.min(position, total), payload(position, records));
    },
    stop: () => {
      bar.stop();
    },
  };
}

function format(total: number | null): NonNullable<Options["format"]> {
  return total === null
    ? "{label}  {records} records  {rate}/s"
    : "{label}  {bar} {percentage}%  {records} records  {rate}/s  {remaining} left";
}

interface Pace {
  readonly seconds: number;
  readonly position: number;
  readonly records: number;
  readonly total: number | null;
}

/** Rate over the whole run, and the time that the rest takes at that rate. */
function pace({ seconds, position, records, total }: Pace): { rate: string; remaining: string } {
  const rate = seconds === 0 ? 0 : Math.round(records / seconds);
  const remaining = total === null || position === 0 ? null : (seconds * (total - position)) / position;
  return { rate: rate.toLocaleString("en"), remaining: remaining === null ? "…" : duration(remaining) };
}
