// What is told of the move of an older version's database: on a terminal a line and a bar; in a log a line at the
// beginning, at each tenth and at the end.
import { startProgress } from "@strongroom/base/terminal/progress";
import type { Terminal } from "@strongroom/base/terminal";
import type { Logger } from "pino";

/** How far a move is, in versions of records. */
export interface MoveProgress {
  readonly done: number;
  readonly total: number;
}

/** Hears of a move. Nothing is told where there is nothing to move. */
export interface MoveListener {
  onProgress(progress: MoveProgress): void;
  /** It is over, or has failed. */
  end(): void;
}

/** Tells all of these. */
export function moveTo(...listeners: readonly MoveListener[]): MoveListener {
  return {
    onProgress: (progress) => {
      for (const listener of listeners) listener.onProgress(progress);
    },
    end: () => {
      for (const listener of listeners) listener.end();
    },
  };
}

/** Tells a person. */
export function moveOnTerminal(terminal: Terminal): MoveListener {
  let bar: ReturnType<typeof startProgress> | null = null;
  let last: MoveProgress | null = null;
  return {
    onProgress: (progress) => {
      if (last === null)
        terminal.say(
          `The records of an older version move from vault.sqlite into records.sqlite: ${counted(progress.total)}. ` +
            "It can be interrupted, and goes on at the next start.",
        );
      bar ??= startProgress(terminal, { label: "moving", total: progress.total });
      bar.update(progress.done, progress.done);
      last = progress;
    },
    end: () => {
      bar?.stop();
      if (last !== null) terminal.say(`${counted(last.done)} of ${last.total.toLocaleString("en")} moved.`);
    },
  };
}

/** Tells a log. */
export function moveInLog(logger: Logger): MoveListener {
  let tenths = -1;
  let last: MoveProgress | null = null;
  return {
    onProgress: (progress) => {
      last = progress;
      const now = progress.total === 0 ? 10 : Math.floor((10 * progress.done) / progress.total);
      if (now <= tenths) return;
      tenths = now;
      logger.info(progress, "the records of an older version move from vault.sqlite into records.sqlite");
    },
    end: () => {
      if (last !== null) logger.info(last, "the move of the older version's records has ended");
    },
  };
}

const counted = (versions: number): string =>
  `${versions.toLocaleString("en")} ${versions === 1 ? "version" : "versions"}`;
