// One server measured: GenerateDataKey and Decrypt, over raw signed HTTP and through the AWS SDK.

import { KMS } from "@aws-sdk/client-kms";
import { signedHeaders } from "../../test/signed-call.ts";
import { rawLoad, requestBytes, summary } from "./raw-load.ts";
import type { LoadResult } from "./raw-load.ts";
import type { Measured } from "./servers.ts";

export const OPERATIONS = ["GenerateDataKey", "Decrypt"] as const;
export const CLIENTS = ["raw", "sdk"] as const;

/** Figures of one operation through one client. */
export interface Figure extends LoadResult {
  /** Processor time of the server per call, microseconds. */
  readonly cpuPerCall: number;
}

export type Figures = Readonly<Record<(typeof CLIENTS)[number], Readonly<Record<(typeof OPERATIONS)[number], Figure>>>>;

export interface Extent {
  readonly connections: number;
  readonly seconds: number;
}

/** A load of so many seconds. */
type Load = (seconds: number) => Promise<LoadResult>;

/** Measures one server. */
export async function measure(server: Measured, { connections, seconds }: Extent): Promise<Figures> {
  const { config } = server;
  const client = new KMS({ ...config, maxAttempts: 1 });
  const warm = async (load: Load): Promise<Figure> => {
    // As long as the measurement: V8 compiles what runs often, and a server's life is longer than its first seconds.
    await load(seconds);
    const before = server.cpu();
    const result = await load(seconds);
    return { ...result, cpuPerCall: ((server.cpu() - before) / result.calls) * 1e6 };
  };
  try {
    const KeyId = (await client.createKey({})).KeyMetadata?.KeyId ?? "";
    const { CiphertextBlob = new Uint8Array() } = await client.generateDataKey({ KeyId, KeySpec: "AES_256" });
    const raw = async (operation: string, input: object): Promise<Figure> => {
      const body = JSON.stringify(input);
      const request = requestBytes(await signedHeaders({ ...config, operation, body }, body), body);
      return warm((howLong) => rawLoad({ endpoint: config.endpoint, request, connections, seconds: howLong }));
    };
    const sdk = (call: () => Promise<unknown>): Promise<Figure> =>
      warm((howLong) => sdkLoad(call, { connections, seconds: howLong }));
    return {
      raw: {
        GenerateDataKey: await raw("GenerateDataKey", { KeyId, KeySpec: "AES_256" }),
        Decrypt: await raw("Decrypt", { CiphertextBlob: Buffer.from(CiphertextBlob).toString("base64") }),
      },
      sdk: {
        GenerateDataKey: await sdk(() => client.generateDataKey({ KeyId, KeySpec: "AES_256" })),
        Decrypt: await sdk(() => client.decrypt({ CiphertextBlob })),
      },
    };
  } finally {
    client.destroy();
  }
}

async function sdkLoad(call: () => Promise<unknown>, { connections, seconds }: Extent): Promise<LoadResult> {
  const latencies: number[] = [];
  const start = performance.now();
  const one = async (): Promise<void> => {
    while (performance.now() < start + seconds * 1000) {
      const sent = performance.now();
      await call();
      latencies.push(performance.now() - sent);
    }
  };
  await Promise.all(Array.from({ length: connections }, one));
  return summary(latencies, performance.now() - start);
}
