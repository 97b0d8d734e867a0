// Whether a child process still answers. One that hangs (stopped, swapped out for good, in an endless loop) ends no
// connection and lets go of no port and no lock, so nobody notices but those who wait for it: its parent asks.
import type { ChildProcess } from "node:child_process";
import { parseKmsMessage } from "@strongroom/kms/command";

/** How often a child is asked, in milliseconds, and after how many questions in a row without an answer it hangs. */
export const HEARTBEAT = { everyMs: 1000, missed: 6 } as const;

/**
 * Asks a child over its channel until it ends, and kills it when it no longer answers. Questions are counted, not time:
 * a machine that slept, or a parent that was busy itself, asked nothing meanwhile.
 * @returns whether it was killed for its silence; true from then on.
 */
export function watchHeartbeat(child: ChildProcess): () => boolean {
  let unanswered = 0;
  let silent = false;
  child.on("message", (message) => {
    if (parseKmsMessage(message)?.kind === "alive") unanswered = 0;
  });
  const timer = setInterval(() => {
    if (unanswered >= HEARTBEAT.missed) {
      silent = true;
      clearInterval(timer);
      // Its own handle: a stopped process takes no other signal.
      child.kill("SIGKILL");
      return;
    }
    unanswered += 1;
    // A full channel is a missing answer as well.
    if (child.connected) child.send({ kind: "alive?" }, () => undefined);
  }, HEARTBEAT.everyMs);
  timer.unref();
  child.once("exit", () => {
    clearInterval(timer);
  });
  return () => silent;
}
