// People who work while the keys are rotated: reads and writes at a steady rate through the client, and a ledger of
// every write that was acknowledged, against which everything is held at the end.
import { readFile } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { type Client, createClient } from "@strongroom/client";
import type { Stage } from "../demo/stage.ts";
import { type Collection, type Paper, papersOf } from "./filings.ts";

/** An acknowledged version, and the text that it must have. */
interface Acknowledged {
  readonly collection: Collection;
  readonly id: string;
  readonly version: number;
  readonly text: string;
}

/** Requests a second, and how many of them write. */
const RATE = 20;
const WRITES = 0.15;
/** Longest wait for one answer. */
const TIMEOUT_MS = 20_000;

export class Traffic {
  readonly #stage: Stage;
  readonly #papers: readonly (Paper & { readonly collection: Collection })[];
  readonly #ledger: Acknowledged[] = [];
  /** The newest acknowledged version of each paper. */
  readonly #newest = new Map<string, Acknowledged>();
  readonly #busy = new Set<string>();
  readonly #stopping = new AbortController();
  readonly #underWay = new Set<Promise<void>>();
  #running: Promise<void> = Promise.resolve();
  #down = false;
  #turn = 0;
  /** What came of the requests; those that met no service, because it was killed, are apart. */
  readonly counts = { reads: 0, writes: 0, wrong: 0, failed: 0, whileDown: 0 };
  readonly problems: string[] = [];

  /** Papers that are damaged on purpose are left to those who do it. */
  constructor(stage: Stage, leftOut: readonly string[]) {
    this.#stage = stage;
    this.#papers = (["filings", "letters"] as const).flatMap((collection) =>
      papersOf(collection)
        .filter(({ id }) => !leftOut.includes(id))
        .map((paper) => ({ ...paper, collection })),
    );
    for (const { collection, ...paper } of this.#papers)
      this.#acknowledge({ collection, id: paper.id, version: 1, text: JSON.stringify(paper) });
  }

  start(): void {
    this.#running = this.#run();
  }

  /** From the kill until the service answers again. */
  async whileDown(work: () => Promise<void>): Promise<void> {
    this.#down = true;
    await work();
    // Those that were sent to the process that died.
    await Promise.all(this.#underWay);
    this.#down = false;
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#running;
    await Promise.all(this.#underWay);
  }

  /** How many acknowledged versions there are, and how many of them do not read back equal. */
  async readBack(): Promise<{ readonly versions: number; readonly differing: number }> {
    const client = await clientOf(this.#stage);
    let differing = 0;
    for (const { collection, id, version, text } of this.#ledger) {
      const same = await client.records.version(collection, id, version).then(
        ({ document }) => JSON.stringify(document) === text,
        () => false,
      );
      if (!same) differing++;
    }
    return { versions: this.#ledger.length, differing };
  }

  async #run(): Promise<void> {
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      const request = (this.#turn++ * WRITES) % 1 < WRITES ? this.#write() : this.#read();
      const ended = request.finally(() => this.#underWay.delete(ended));
      this.#underWay.add(ended);
      await sleep(1000 / RATE, undefined, { signal }).catch(() => undefined);
    }
  }

  async #read(): Promise<void> {
    const [paper] = this.#free();
    if (paper === undefined) return;
    const { collection, id } = paper;
    await this.#counted("reads", async (client) => {
      const { document, version } = await client.records.get(collection, id);
      const known = this.#ledger.findLast((one) => one.id === id && one.version === version);
      if (known !== undefined && known.text !== JSON.stringify(document)) this.counts.wrong++;
      if (version < (this.#newest.get(id)?.version ?? 0) && !this.#busy.has(id)) this.counts.wrong++;
    });
  }

  async #write(): Promise<void> {
    const [paper] = this.#free();
    if (paper === undefined) return;
    const { collection, ...document } = paper;
    const { id } = paper;
    this.#busy.add(id);
    const text = JSON.stringify({ ...document, text: `${document.text} (${this.#turn})` });
    await this.#counted("writes", async (client) => {
      const { version } = await client.records.put(collection, id, text);
      this.#acknowledge({ collection, id, version, text });
    });
    this.#busy.delete(id);
  }

  async #counted(kind: "reads" | "writes", request: (client: Client) => Promise<void>): Promise<void> {
    const wasDown = this.#down;
    try {
      await request(await clientOf(this.#stage));
      this.counts[kind]++;
    } catch (error) {
      if (wasDown || this.#down) this.counts.whileDown++;
      else {
        this.counts.failed++;
        this.problems.push(String(error));
      }
    }
  }

  /** The papers in another order each time, without those that are being written. */
  #free(): readonly (Paper & { readonly collection: Collection })[] {
    const start = (this.#turn * 37) % this.#papers.length;
    return [...this.#papers.slice(start), ...this.#papers.slice(0, start)].filter(({ id }) => !this.#busy.has(id));
  }

  #acknowledge(one: Acknowledged): void {
    this.#ledger.push(one);
    const known = this.#newest.get(one.id);
    if (known === undefined || known.version < one.version) this.#newest.set(one.id, one);
  }
}

/** A client of the installation as it is now: started again, it has another port. */
export async function clientOf(stage: Stage): Promise<Client> {
  const token = (await readFile(stage.ready.tokenFile, "utf8")).trim();
  return createClient({ url: stage.ready.url, token, timeoutMs: TIMEOUT_MS });
}
