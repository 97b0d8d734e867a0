/**
 * The worker thread: runs one task after the other and says only whether it went well.
 */
import { parentPort } from "node:worker_threads";
import { runTask } from "./framing-task.ts";
import type { FramingTask } from "./framing-task.ts";

export interface TaskOutcome {
  readonly done: boolean;
}

parentPort?.on("message", (task: FramingTask) => {
  let done = false;
  try {
    runTask(task);
    done = true;
  } catch {
    // Whatever went wrong is one thing to the other side: the run is not good.
  }
  parentPort?.postMessage({ done } satisfies TaskOutcome);
});
