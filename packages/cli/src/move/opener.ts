// The keyring that opens the messages of an application's own columns: keys of AWS KMS, by the SDK's own credentials.
import { isEnvelopeError } from "@strongroom/envelope";
import { multiRegionKeyring } from "@strongroom/envelope/aws-kms";
import type { MessageOpener } from "@strongroom/vault/moving";
import { CliError } from "../errors.ts";
import { kmsClient } from "../installation/keyring.ts";

/** Null: no key is named. @throws CliError `usage` */
export async function openerOf(arns: readonly string[] | undefined): Promise<MessageOpener | null> {
  if (arns === undefined) return null;
  const regions = await Promise.all(
    arns.map(async (keyArn) => {
      const region = /^arn:[\w-]+:kms:([a-z0-9-]+):\d{12}:key\/[\w-]+$/.exec(keyArn)?.[1];
      if (region === undefined)
        throw new CliError("usage", {
          detail: "--kms-key must be the ARN of a key: arn:aws:kms:REGION:ACCOUNT:key/ID.",
        });
      return { region, keyArn, client: await kmsClient({ region }) };
    }),
  );
  try {
    return { keyring: multiRegionKeyring({ regions, minimum: 1, target: regions.length }) };
  } catch (cause) {
    if (isEnvelopeError(cause)) throw new CliError("usage", { detail: `--kms-key: ${cause.message}`, cause });
    throw cause;
  }
}
