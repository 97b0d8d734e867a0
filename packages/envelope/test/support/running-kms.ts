/**
 * The project's own KMS, running for one test file: real regions on free ports, called by the official client, its keys
 * as bytes.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after } from "node:test";
import { KMS } from "@aws-sdk/client-kms";
import { keysAsBytes, wipingAgents } from "@strongroom/envelope/aws-sdk";
import { createKms } from "@strongroom/kms";

export const ACCOUNT = "000000000000";

export interface RunningKms {
  readonly client: (region: string) => KMS;
  /** What a client of somebody else's needs to reach a region. */
  readonly connection: (region: string) => {
    readonly region: string;
    readonly endpoint: string;
    readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string };
  };
  readonly stopRegion: (region: string) => Promise<void>;
  readonly startRegion: (region: string) => Promise<void>;
}

/** Starts the regions; ends them, and removes their data, after the file's tests. */
export async function runningKms(...regions: readonly string[]): Promise<RunningKms> {
  const dataDir = await mkdtemp(join(tmpdir(), "strongroom-envelope-kms-"));
  const kms = await createKms({
    dataDir,
    regions: regions.map((name) => ({ name, port: 0 })),
    rootKey: { kind: "file", path: join(dataDir, "root.key") },
  });
  const clients = new Map<string, KMS>();
  after(async () => {
    for (const client of clients.values()) client.destroy();
    await kms.close();
    await rm(dataDir, { recursive: true, force: true });
  });
  const connection = (region: string): ReturnType<RunningKms["connection"]> => {
    const endpoint = kms.endpoints[region];
    if (endpoint === undefined) throw new Error(`${region} is not running`);
    return { region, endpoint, credentials: kms.credentials };
  };
  return {
    connection,
    client(region) {
      const client =
        clients.get(region) ??
        keysAsBytes(new KMS({ ...connection(region), maxAttempts: 1, requestHandler: { ...wipingAgents() } }));
      clients.set(region, client);
      return client;
    },
    stopRegion: (region) => kms.stopRegion(region),
    startRegion: (region) => kms.startRegion(region),
  };
}

/** Makes a key and answers its ARN. */
export async function createKey(client: KMS, input: Parameters<KMS["createKey"]>[0] = {}): Promise<string> {
  const { KeyMetadata } = await client.createKey(input);
  if (KeyMetadata?.Arn === undefined) throw new Error("no key was made");
  return KeyMetadata.Arn;
}
