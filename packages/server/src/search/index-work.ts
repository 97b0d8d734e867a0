/**
 * Work on indexes, which takes longer than a request: this process does one such work at a time, and whoever began it
 * asks how far it is. A process that ends gives it up; what was built stays, and the next one goes on from there.
 */
import { randomUUID } from "node:crypto";
import { isVaultError } from "@strongroom/vault";
import type { DocumentsLooked, IndexesApplied } from "@strongroom/vault";
import type { FastifyBaseLogger } from "fastify";
import { ServerError } from "../errors.ts";
import { logFault } from "../http/request.ts";

/** What is done. */
export type IndexWorkKind = "apply" | "rotate-key" | "drop" | "documents";

/** A work as it is now. */
export interface IndexWork {
  readonly id: string;
  readonly what: IndexWorkKind;
  /** Null: every collection. */
  readonly collection: string | null;
  readonly state: "running" | "done" | "failed";
  /** Records that were opened so far. */
  readonly records: number;
  readonly beganAt: string;
  readonly endedAt: string | null;
  /** Why it failed. */
  readonly problem: { readonly code: string; readonly detail: string } | null;
  /** What became of the indexes; null until it is done, and where documents were looked at. */
  readonly applied: IndexesApplied | null;
  /** What became of looking at documents; null until it is done, and of other work. */
  readonly documents: DocumentsLooked | null;
}

/** What a work ends with. */
export type IndexWorkResult = Partial<Pick<IndexWork, "applied" | "documents">>;

/** Does it. `told` is called with how many records were opened so far. */
export type DoIndexWork = (signal: AbortSignal, told: (records: number) => void) => Promise<IndexWorkResult>;

/** Works on indexes in this process. */
export class IndexWorks {
  readonly #log: FastifyBaseLogger;
  readonly #ends = new AbortController();
  #work: IndexWork | null = null;
  #running: Promise<void> = Promise.resolve();

  constructor(log: FastifyBaseLogger) {
    this.#log = log;
  }

  /** The present one, or the last. */
  get last(): IndexWork | null {
    return this.#work;
  }

  /** @throws ServerError `index-work-under-way` */
  begin({ what, collection }: Pick<IndexWork, "what" | "collection">, run: DoIndexWork): IndexWork {
    if (this.#work?.state === "running")
      throw new ServerError("index-work-under-way", `The service is at work on indexes (${this.#work.what})`);
    const begun: IndexWork = {
      ...{ id: randomUUID(), what, collection, state: "running", records: 0, beganAt: new Date().toISOString() },
      ...{ endedAt: null, problem: null, applied: null, documents: null },
    };
    this.#work = begun;
    this.#running = this.#run(run);
    return begun;
  }

  /** Gives up what is under way, and resolves when that has ended. */
  async close(): Promise<void> {
    this.#ends.abort();
    await this.#running;
  }

  async #run(run: DoIndexWork): Promise<void> {
    try {
      const result = await run(this.#ends.signal, (records) => {
        this.#become({ records });
      });
      this.#become({ ...result, state: "done", endedAt: new Date().toISOString() });
    } catch (error) {
      if (!isVaultError(error)) logFault(this.#log, error);
      const problem = isVaultError(error)
        ? { code: error.code, detail: error.message }
        : { code: "internal", detail: "The service failed; its log says where" };
      this.#become({ problem, state: "failed", endedAt: new Date().toISOString() });
    }
  }

  #become(change: Partial<IndexWork>): void {
    if (this.#work !== null) this.#work = { ...this.#work, ...change };
  }
}
