/**
 * A process with a vault and its audit, which waits to be told what to do, and can be killed at any moment.
 */
import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import type { TestContext } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { defer } from "../defer.ts";
import { saidIn } from "./audited-log.ts";
import type { Said } from "./audited-log.ts";
import type { AuditedTask } from "./audited-task.ts";

const WORKER = fileURLToPath(new URL("audited-worker.ts", import.meta.url));
const LOOK_MS = 10;

export class AuditedProcess {
  readonly #child: ChildProcess;
  #log = "";

  constructor(t: TestContext) {
    this.#child = spawn(process.execPath, ["--conditions=@strongroom/source", WORKER], {
      stdio: ["pipe", "ignore", "inherit"],
    });
    this.#child.stdin!.on("error", () => undefined);
    defer(t, () => this.kill());
  }

  /** It begins, and may be killed from now on. */
  begin(task: AuditedTask): void {
    this.#log = task.log;
    this.#child.stdin!.write(`${JSON.stringify(task)}\n`);
  }

  get said(): Said {
    return saidIn(this.#log);
  }

  /** Waits until what it has said is enough. */
  async until(isEnough: (said: Said) => boolean): Promise<void> {
    while (!isEnough(this.said)) {
      this.requireRunning();
      await sleep(LOOK_MS);
    }
  }

  requireRunning(): void {
    if (this.#child.exitCode === null && this.#child.signalCode === null) return;
    throw new Error(`a process ended by itself: ${JSON.stringify([this.said.alarms, this.said.faults])}`);
  }

  /** `kill -9` */
  async kill(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const exit = once(this.#child, "exit");
    this.#child.kill("SIGKILL");
    await exit;
  }
}
