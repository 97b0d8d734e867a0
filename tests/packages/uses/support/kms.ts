// A KMS with two regions and a symmetric key, an RSA key and an EC key in each, for the uses of keyrings.
import { createKms, type Kms } from "@strongroom/kms";

/** Bounds that hold on a machine that is busy with other tests. */
export const PATIENT = { deadlineMs: 30_000, attemptTimeoutMs: 15_000 } as const;

const REGIONS = ["eu-west-1", "eu-west-2"] as const;

/** A running KMS, and the ARNs of the keys in each region. */
export async function twoRegions(): Promise<{
  readonly kms: Kms;
  readonly keys: readonly {
    readonly region: string;
    readonly keyArn: string;
    readonly rsaArn: string;
    readonly ecArn: string;
  }[];
}> {
  const id = (region: number, kind: number): string => `${kind}111111${region}-2222-4333-8444-555555555555`;
  const kms = await createKms({
    regions: REGIONS.map((name) => ({ name, port: 0 })),
    seed: {
      keys: REGIONS.flatMap((region, index) => [
        { id: id(index, 1), region },
        { id: id(index, 2), region, spec: "RSA_2048" as const, usage: "ENCRYPT_DECRYPT" as const },
        { id: id(index, 3), region, spec: "ECC_NIST_P256" as const, usage: "KEY_AGREEMENT" as const },
      ]),
    },
  });
  const arn = (region: string, key: string): string => `arn:aws:kms:${region}:000000000000:key/${key}`;
  const keys = REGIONS.map((region, index) => ({
    region,
    keyArn: arn(region, id(index, 1)),
    rsaArn: arn(region, id(index, 2)),
    ecArn: arn(region, id(index, 3)),
  }));
  return { kms, keys };
}
