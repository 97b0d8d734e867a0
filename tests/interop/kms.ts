// The project's own KMS with two regions and a key in each, for the time of the run: every SDK talks to it as it talks
// to AWS.

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { KMS } from "@aws-sdk/client-kms";
import { createKms } from "@strongroom/kms";

import type { Cell, KmsKey } from "./peer.ts";

const REGIONS = ["eu-west-1", "eu-central-1"] as const;

export interface RunningKms {
  readonly keys: readonly Cell["keys"][];
  close(): Promise<void>;
}

export async function startKms(): Promise<RunningKms> {
  const folder = await mkdtemp(join(tmpdir(), "strongroom-interop-"));
  const kms = await createKms({
    dataDir: folder,
    regions: REGIONS.map((name) => ({ name, port: 0 })),
    rootKey: { kind: "file", path: join(folder, "root.key") },
  });
  const wrappingKeys = await Promise.all(
    REGIONS.map((region) => makeKey(region, kms.endpoints[region] ?? "", kms.credentials)),
  );
  const spec = (keys: readonly KmsKey[]) => ({ kind: "kms", keys, ...kms.credentials }) as const;
  return {
    keys: [
      { name: "KMS, one region", spec: spec(wrappingKeys.slice(0, 1)) },
      { name: "KMS, two regions", spec: spec(wrappingKeys) },
    ],
    async close() {
      await kms.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function makeKey(
  region: string,
  endpoint: string,
  credentials: { readonly accessKeyId: string; readonly secretAccessKey: string },
): Promise<KmsKey> {
  const client = new KMS({ region, endpoint, credentials });
  const { KeyMetadata } = await client.createKey({});
  client.destroy();
  if (KeyMetadata?.Arn === undefined) throw new Error(`${region} made a key without an ARN`);
  return { keyArn: KeyMetadata.Arn, region, endpoint };
}
