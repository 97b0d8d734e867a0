/**
 * Another process, which runs a module's text and is killed at the end of the test if it is still there.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import type { TestContext } from "node:test";

/** A running process. */
export interface Child {
  /** Resolves with the next text that it prints. */
  said(): Promise<string>;
  /** Ends it as the system does when it runs out of memory: nothing of it is tidied up. */
  kill(): Promise<void>;
}

/** Starts it. `path` is in its `process.argv[1]`. */
export function runScript(t: TestContext, script: string, path: string): Child {
  const child = spawn(
    process.execPath,
    ["--conditions=@strongroom/source", "--input-type=module", "--eval", script, path],
    { cwd: import.meta.dirname, stdio: ["ignore", "pipe", "inherit"] },
  );
  const ended = once(child, "exit");
  const kill = async (): Promise<void> => {
    child.kill("SIGKILL");
    await ended;
  };
  t.after(kill);
  return { said: async () => String(((await once(child.stdout, "data")) as unknown[])[0]), kill };
}
