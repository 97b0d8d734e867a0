// How far a verification is, on a terminal: one bar for each of its parts.
import type { Terminal } from "@strongroom/base/terminal";
import { startProgress } from "@strongroom/base/terminal/progress";
import type { VerifyProgress } from "@strongroom/vault";

/** The bars of a verification. */
export interface PartsBar {
  readonly update: (progress: Pick<VerifyProgress, "part" | "done" | "of">) => void;
  readonly end: () => void;
}

export function startPartsBar(terminal: Terminal): PartsBar {
  let bar: { readonly part: string; readonly shown: ReturnType<typeof startProgress> } | null = null;
  return {
    update: ({ part, done, of }) => {
      if (bar?.part !== part) {
        bar?.shown.stop();
        bar = { part, shown: startProgress(terminal, { label: `verifying ${part}`, total: of }) };
      }
      bar.shown.update(done, done);
    },
    end: () => {
      bar?.shown.stop();
    },
  };
}
