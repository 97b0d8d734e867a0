// A run as it goes, until it has ended or holds. A service that is away for a while is waited for.
import { setTimeout as delay } from "node:timers/promises";
import type { Client, ConvergenceRun, ConvergenceStatus } from "@strongroom/client";
import type { CommandContext } from "../../command.ts";
import { watchView } from "../watch.ts";
import { isOver, watchedRun } from "./run-view.ts";

/** Before the service is asked again that knows an earlier run alone, in milliseconds. */
const AGAIN_MS = 500;

/** What is shown is where the run is after a Ctrl-C too: null, then it goes on without anybody who follows. */
export async function followRun(
  client: Client,
  begun: ConvergenceRun,
  { terminal, signal }: CommandContext,
): Promise<ConvergenceRun | null> {
  const watched = watchedRun(() => client.convergence.status());
  const view = watchView(terminal, {
    ...watched,
    result: (status) => ({ event: "status", ...watched.result(status) }),
  });
  const onAway = ({ message }: { readonly message: string }): void => {
    view.away(message);
  };
  try {
    for (;;) {
      for await (const status of client.convergence.follow({ onAway })) {
        const run = ofRun(status, begun);
        if (run === null) continue;
        view.show(status);
        if (isOver(run)) return run;
      }
      // What a process saw last may be the run before.
      await delay(AGAIN_MS, undefined, { signal });
    }
  } catch (error) {
    if (signal.aborted) return null;
    throw error;
  }
}

function ofRun({ run }: ConvergenceStatus, { id }: ConvergenceRun): ConvergenceRun | null {
  return run?.id === id ? run : null;
}
