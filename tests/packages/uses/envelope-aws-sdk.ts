import assert from "node:assert/strict";
import { KMS } from "@aws-sdk/client-kms";
import type { WipingAgents } from "@strongroom/envelope/aws-sdk";
import { keysAsBytes, wipingAgents } from "@strongroom/envelope/aws-sdk";
import { twoRegions } from "./support/kms.ts";

export async function use(): Promise<void> {
  const { kms, keys } = await twoRegions();
  const requestHandler: WipingAgents = wipingAgents();
  const client: KMS = keysAsBytes(new KMS({ ...kms.clientConfig(), requestHandler }));
  const answer = await client.generateDataKey({ KeyId: keys[0]?.keyArn, KeySpec: "AES_256" });
  const key: Uint8Array | undefined = answer.Plaintext;
  assert.equal(key?.length, 32);
  client.destroy();
  await kms.close();
}

/** What the compiler is to refuse. */
export function misuse(): void {
  // @ts-expect-error what is no client
  keysAsBytes({});
  // @ts-expect-error agents are not a number
  wipingAgents() satisfies number;
}
