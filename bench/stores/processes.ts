// The processes of a turn, as the run sees them: each fresh, each told one thing, and none left over.

import { type ChildProcess, fork } from "node:child_process";
import { fileURLToPath } from "node:url";

import type { Answer, Order } from "./worker.ts";

const WORKER = new URL("worker.ts", import.meta.url);
/** Stripping the bench's own types costs a process some 45 MiB; with the cache only the first one pays. */
const COMPILE_CACHE = fileURLToPath(new URL("../../node_modules/.cache/strongroom-bench", import.meta.url));
const ANSWER_LIMIT_MS = 300_000;
/** A million rows may take a while on a slow disk. */
const GROWTH_LIMIT_MS = 1_800_000;
/** Answers after which a process waits for the word. */
const GO_ON: ReadonlySet<Answer["kind"]> = new Set<Answer["kind"]>(["ready", "enough", "ran"]);
/** Node waits for its compiler threads when it ends, and may wait for ever. */
const END_LIMIT_MS = 5_000;

type AnswerOf<Kind extends Answer["kind"]> = Answer & { readonly kind: Kind };

/** Starts them, all in the same way. */
export class Processes {
  readonly #flags: readonly string[];

  /**
   * @param flags Node's own, for each process. This process' are not among them: one of them takes the packages from
   *   their sources.
   */
  constructor(flags: readonly string[]) {
    this.#flags = flags;
  }

  start(order: Order): Worker {
    return new Worker(order, this.#flags);
  }

  /** Gives one order to one process. @throws what the process came to grief on */
  async ask<Kind extends Answer["kind"]>(order: Order, kind: Kind): Promise<AnswerOf<Kind>> {
    await using worker = this.start(order);
    return await worker.answer(kind);
  }
}

class Worker implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly #limitMs: number;
  readonly #answers: Answer[] = [];
  readonly #ended: Promise<void>;
  #wake: () => void = () => undefined;
  #end: string | null = null;
  #hasDone = false;
  #stderr = "";

  constructor(order: Order, flags: readonly string[]) {
    this.#child = fork(WORKER, {
      execArgv: [...flags],
      serialization: "advanced",
      stdio: ["ignore", "ignore", "pipe", "ipc"],
      env: { ...process.env, NODE_COMPILE_CACHE: COMPILE_CACHE },
    });
    this.#child.stderr?.setEncoding("utf8").on("data", (text: string) => {
      this.#stderr = (this.#stderr + text).slice(-2_000);
    });
    this.#child.on("message", (answer: Answer) => {
      this.#hasDone = !GO_ON.has(answer.kind);
      this.#answers.push(answer);
      this.#wake();
    });
    this.#ended = new Promise((resolve) => {
      this.#child.once("exit", (code, signal) => {
        this.#end = signal ?? `code ${String(code)}`;
        this.#wake();
        resolve();
      });
    });
    this.#limitMs = order.kind === "grow" ? GROWTH_LIMIT_MS : ANSWER_LIMIT_MS;
    this.#child.send(order);
  }

  /** The next answer, which is of that kind. @throws what the process came to grief on */
  async answer<Kind extends Answer["kind"]>(kind: Kind): Promise<AnswerOf<Kind>> {
    const limit = setTimeout(() => this.#child.kill("SIGKILL"), this.#limitMs);
    try {
      while (this.#answers.length === 0 && this.#end === null)
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
    } finally {
      clearTimeout(limit);
    }
    const answer = this.#answers.shift();
    if (answer === undefined)
      throw new Error(`a process ended with ${this.#end ?? "nothing"} and no answer. ${this.#stderr.trim()}`);
    if (answer.kind === "failure") throw new Error(answer.message);
    if (answer.kind !== kind) throw new Error(`a process answered ${answer.kind} and not ${kind}`);
    return answer as AnswerOf<Kind>;
  }

  /** Gives the word on which the process waits. */
  goOn(): void {
    if (this.#end === null) this.#child.send("go on");
  }

  /** Lets it end when it has done all that it was told; else ends it. */
  async [Symbol.asyncDispose](): Promise<void> {
    const limit = setTimeout(() => this.#child.kill("SIGKILL"), this.#hasDone ? END_LIMIT_MS : 0);
    if (this.#child.connected) this.#child.disconnect();
    await this.#ended;
    clearTimeout(limit);
  }
}
