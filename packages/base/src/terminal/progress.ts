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

/** Between two updates the bar is drawn anew so often, in milliseconds: the time that is left goes down meanwhile. */
const TICK_MS = 500;

/** Starts a bar, or a silent stand-in where standard error is not a terminal or the output is JSON. */
export function startProgress(terminal: Terminal, { label, total }: ProgressOptions): Progress {
  if (!terminal.stderr.isTTY || terminal.mode === "json") return SILENT;
  const shown = printable(label);
  const pace = new Pace(total, performance.now());
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
  const draw = (): void => {
    bar.update(total === null ? 0 : pace.position, { label: shown, ...pace.at(performance.now()) });
  };
  bar.start(total ?? 1, 0, { label: shown, ...pace.at(performance.now()) });
  const ticking = setInterval(draw, TICK_MS).unref();
  return {
    update: (position, records) => {
      pace.update(position, records, performance.now());
      draw();
    },
    stop: () => {
      clearInterval(ticking);
      bar.stop();
    },
  };
}

function format(total: number | null): NonNullable<Options["format"]> {
  return total === null
    ? "{label}  {records} records  {rate}/s"
    : "{label}  {bar} {percentage}%  {records} records  {rate}/s  {remaining} left";
}

/**
 * Rate over the whole run, and the time that the rest takes at that rate. The end is foreseen when something was done,
 * and counted down to until more is done: a job that goes on evenly shows a time that falls. Times are milliseconds of
 * one clock.
 */
export class Pace {
  readonly #total: number | null;
  readonly #startedAt: number;
  #position = 0;
  #records = 0;
  #endsAt: number | null = null;

  constructor(total: number | null, startedAt: number) {
    this.#total = total;
    this.#startedAt = startedAt;
  }

  /** What is done of the total; it does not go back, and not past the end. */
  get position(): number {
    return this.#position;
  }

  update(position: number, records: number, now: number): void {
    const before = this.#position;
    this.#position = Math.max(before, this.#total === null ? position : Math.min(position, this.#total));
    this.#records = records;
    if (this.#total === null || this.#position === before) return;
    this.#endsAt = now + ((now - this.#startedAt) * (this.#total - this.#position)) / this.#position;
  }

  /** What a bar shows at this time. */
  at(now: number): { readonly records: string; readonly rate: string; readonly remaining: string } {
    const seconds = (now - this.#startedAt) / 1000;
    const rate = seconds <= 0 ? 0 : Math.round(this.#records / seconds);
    const left = this.#endsAt === null ? null : Math.max(0, this.#endsAt - now) / 1000;
    return {
      records: this.#records.toLocaleString("en"),
      rate: rate.toLocaleString("en"),
      remaining: left === null ? "…" : duration(left),
    };
  }
}
