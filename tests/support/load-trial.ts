// A load trial: an installation of its own, clients in a process of their own, and what came of it, also for the
// regions. `command` may be that of an earlier revision, whose trial then stands beside this one's.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { text } from "node:stream/consumers";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { Installation } from "../end-to-end/installation.ts";
import type { LoadJob, LoadResult, LoadShape } from "./load-generator.ts";

const GENERATOR = fileURLToPath(new URL("load-generator.ts", import.meta.url));

/** What a load came to. */
export interface Round extends LoadResult {
  readonly name: string;
  /** Wraps that are owed after it. */
  readonly owed: number;
  /** Writes that were answered with fewer wraps than wanted, since the service began. */
  readonly belowTarget: number;
  /** How often a region's breaker was seen to have opened. */
  readonly opened: number;
}

export class LoadTrial implements AsyncDisposable {
  readonly installation: Installation;

  private constructor(installation: Installation) {
    this.installation = installation;
  }

  /** Starts an installation and writes the records that are read. */
  static async start(command?: string): Promise<LoadTrial> {
    const trial = new LoadTrial(await Installation.start(command === undefined ? {} : { command }));
    for (let n = 0; n < 10; n++) {
      const { ok } = await trial.installation.request("PUT", `/v1/records/people/read-${n}`, { n });
      if (!ok) throw new Error("a record that is to be read was not written");
    }
    return trial;
  }

  /** Half reads, half writes, in this shape. */
  async load(name: string, shape: LoadShape, patienceMs = 10_000, writeShare = 0.5): Promise<Round> {
    const { url, token } = this.installation;
    const job: LoadJob = { url, token, writeShare, patienceMs, shape };
    const child = spawn(process.execPath, [GENERATOR], { stdio: ["pipe", "pipe", "inherit"] });
    child.stdin.end(JSON.stringify(job));
    const watched = this.#watchBreakers();
    const [printed] = await Promise.all([text(child.stdout), once(child, "exit")]);
    const opened = await watched.stop();
    const page = await this.#metrics();
    return {
      ...(JSON.parse(printed) as LoadResult),
      name,
      opened,
      owed: sum(page, /^strongroom_wrap_debt_wraps\{.*\} (\d+)$/gm),
      belowTarget: sum(page, /^strongroom_keyring_decisions_total\{decision="write-below-target"\} (\d+)$/gm),
    };
  }

  #watchBreakers(): { readonly stop: () => Promise<number> } {
    const stopping = new AbortController();
    const open = new Set<string>();
    let opened = 0;
    const watching = (async () => {
      while (!stopping.signal.aborted) {
        const page = await this.#metrics().catch(() => "");
        for (const [, region = "", value] of page.matchAll(
          /^strongroom_region_breaker\{region="([^"]+)",state="open"\} (\d)$/gm,
        )) {
          if (value === "1" && !open.has(region)) opened++;
          if (value === "1") open.add(region);
          else open.delete(region);
        }
        await sleep(200, undefined, { signal: stopping.signal }).catch(() => undefined);
      }
    })();
    return {
      stop: async () => {
        stopping.abort();
        await watching;
        return opened;
      },
    };
  }

  async #metrics(): Promise<string> {
    return (await fetch(`${this.installation.url}/metrics`)).text();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.installation[Symbol.asyncDispose]();
  }
}

function sum(page: string, pattern: RegExp): number {
  return [...page.matchAll(pattern)].reduce((total, [, value]) => total + Number(value), 0);
}

/** Good answers a second. */
export function goodput({ good, seconds }: LoadResult): number {
  return good / seconds;
}

/** The rounds as a table in Markdown. */
export function tableOf(rounds: readonly Round[]): string {
  const rows = rounds.map((round) => [
    round.name,
    (round.sent / round.seconds).toFixed(0),
    goodput(round).toFixed(0),
    String(round.p50),
    String(round.p99),
    Object.entries(round.others)
      .map(([what, count]) => `${what}: ${count}`)
      .join(", "),
    String(round.belowTarget),
    String(round.owed),
    String(round.opened),
  ]);
  return [
    ["load", "sent/s", "good/s", "p50 ms", "p99 ms", "others", "writes below target", "wraps owed", "breakers opened"],
    ["---", "---:", "---:", "---:", "---:", "---", "---:", "---:", "---:"],
    ...rows,
  ]
    .map((cells) => `| ${cells.join(" | ")} |`)
    .join("\n");
}
