import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { createKms } from "@strongroom/kms";
import { temporaryDirectory } from "../running-kms.ts";
import { awsCliAbsent, awsKms } from "./aws-cli.ts";

test("the AWS CLI makes a key, encrypts and decrypts", { skip: awsCliAbsent }, async (t) => {
  await using kms = await createKms();
  const directory = await temporaryDirectory(t);
  const aws = awsKms(kms.clientConfig());
  const { KeyMetadata } = await aws(
    "create-key",
    "--description",
    "from the command line",
    "--tags",
    "TagKey=team,TagValue=a",
  );
  const { KeyId, Arn } = KeyMetadata as { KeyId: string; Arn: string };
  const plaintext = join(directory, "plaintext");
  writeFileSync(plaintext, "short and secret");
  const sealed = await aws(
    "encrypt",
    "--key-id",
    KeyId,
    "--plaintext",
    `fileb://${plaintext}`,
    "--encryption-context",
    "person=42",
  );
  const blob = join(directory, "blob");
  writeFileSync(blob, Buffer.from(String(sealed["CiphertextBlob"]), "base64"));
  const opened = await aws("decrypt", "--ciphertext-blob", `fileb://${blob}`, "--encryption-context", "person=42");
  assert.deepEqual(
    [Buffer.from(String(opened["Plaintext"]), "base64").toString(), opened["KeyId"]],
    ["short and secret", Arn],
  );
  await assert.rejects(
    aws("decrypt", "--ciphertext-blob", `fileb://${blob}`, "--encryption-context", "person=43"),
    /InvalidCiphertextException/,
  );
});
