import assert from "node:assert/strict";
import {
  KMS_COMMANDS,
  KMS_PROGRAM,
  type KmsMessage,
  LOCAL_REGIONS,
  type LocalRegion,
  parseKmsMessage,
} from "@strongroom/kms/command";

export async function use(): Promise<void> {
  assert.equal(KMS_PROGRAM.name, "strongroom-kms");
  assert.ok(KMS_COMMANDS.some(({ name }) => name === "serve"));
  const message: KmsMessage | null = parseKmsMessage("not one");
  assert.equal(message, null);
  const regions: readonly LocalRegion[] = LOCAL_REGIONS;
  assert.ok(regions.length > 0);
  await Promise.resolve();
}

/** What the compiler is to refuse. */
export function misuse(): void {
  // @ts-expect-error a message is none, or one of a few
  parseKmsMessage({}) satisfies string;
  // @ts-expect-error a command's name is text
  KMS_COMMANDS[0]?.name satisfies number;
}
