/** Real KMS regions with round trips and faults as one orders them, and AWS SDK clients to them. */
import { fork } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { KMS } from "@aws-sdk/client-kms";
import type { KMSClientConfig } from "@aws-sdk/client-kms";
import type { KeyRegion } from "@strongroom/envelope/aws-kms";
import { keysAsBytes, wipingAgents } from "@strongroom/envelope/aws-sdk";
import type { Fault } from "@strongroom/kms";

export interface Region {
  readonly name: string;
  readonly keyArn: string;
  /** A client that does not retry and has keys as bytes: the keyring's kind. */
  readonly client: KMS;
  readonly asKeyRegion: KeyRegion;
  /** A client as the SDK makes it when nobody says otherwise, for the peer. */
  ordinaryClient(): KMS;
}

/** `stopped`: the region's port is closed. The others are the KMS's own kinds. */
export type Outage = { readonly kind: "stopped" } | Fault;

interface Started {
  readonly endpoints: Readonly<Record<string, string>>;
  readonly faultsEndpoint: string;
  readonly faultsHeaderFile: string;
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string };
}

export class Regions implements AsyncDisposable {
  readonly all: readonly Region[];
  readonly #control: string;
  readonly #authorization: string;
  readonly #stopped = new Set<string>();
  readonly #end: () => Promise<void>;

  private constructor(all: readonly Region[], { faultsEndpoint, faultsHeaderFile }: Started, end: () => Promise<void>) {
    this.all = all;
    this.#control = faultsEndpoint;
    this.#authorization = readFileSync(faultsHeaderFile, "utf8").trim().replace("Authorization: ", "");
    this.#end = end;
  }

  static async start(): Promise<Regions> {
    const child = fork(new URL("kms-process.ts", import.meta.url), { execArgv: ["--conditions=@strongroom/source"] });
    const [started] = (await once(child, "message")) as [Started];
    const { endpoints, credentials } = started;
    const all = await Promise.all(
      Object.entries(endpoints).map(async ([name, endpoint]): Promise<Region> => {
        const config: KMSClientConfig = { region: name, endpoint, credentials };
        const client = keysAsBytes(new KMS({ ...config, maxAttempts: 1, requestHandler: { ...wipingAgents() } }));
        const { KeyMetadata } = await client.createKey({});
        const keyArn = KeyMetadata?.Arn ?? "";
        return {
          name,
          keyArn,
          client,
          asKeyRegion: { region: name, keyArn, client },
          ordinaryClient: () => new KMS(config),
        };
      }),
    );
    return new Regions(all, started, async () => {
      for (const { client } of all) client.destroy();
      const exited = once(child, "exit");
      child.disconnect();
      await exited;
    });
  }

  /** Each of `regions` has its round trip, and those named in `outages` their outage. Everything else is well again. */
  async set(
    regions: readonly Region[],
    rtts: readonly number[],
    outages: ReadonlyMap<Region, Outage> = new Map(),
  ): Promise<void> {
    await Promise.all(
      regions.map(async (region, index) => {
        const outage = outages.get(region);
        await this.#ask("DELETE", `${region.name}/faults`);
        if (this.#stopped.delete(region.name)) await this.#ask("POST", `${region.name}/start`);
        await this.#ask("POST", `${region.name}/faults`, { kind: "delay", delayMs: rtts[index] ?? 0 });
        if (outage === undefined) return;
        if (outage.kind === "stopped") {
          this.#stopped.add(region.name);
          await this.#ask("POST", `${region.name}/stop`);
        } else await this.#ask("POST", `${region.name}/faults`, outage);
      }),
    );
  }

  async #ask(method: string, path: string, body?: object): Promise<void> {
    const response = await fetch(`${this.#control}/_strongroom/regions/${path}`, {
      method,
      headers: {
        authorization: this.#authorization,
        ...(body === undefined ? {} : { "content-type": "application/json" }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`);
    await response.arrayBuffer();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#end();
  }
}
