import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { createKms } from "@strongroom/kms";
import { temporaryDirectory } from "../running-kms.ts";
import { awsEnvironment, isThere, output } from "./foreign-client.ts";

const absent = isThere("aws", "--version") ? false : "the AWS CLI (aws) is not installed here";

test("the AWS CLI works unchanged", { skip: absent }, async (t) => {
  await using kms = await createKms();
  const config = kms.clientConfig();
  const directory = await temporaryDirectory(t);
  const aws = async (...args: readonly string[]): Promise<Record<string, unknown>> => {
    const text = await output("aws", ["--endpoint-url", config.endpoint, "--output", "json", "kms", ...args], awsEnvironment(config));
    return (text.trim() === "" ? {} : JSON.parse(text)) as Record<string, unknown>;
  };
  const { KeyMetadata } = await aws("create-key", "--description", "from the command line", "--tags", "TagKey=team,TagValue=a");
  const { KeyId: keyId, Arn: arn } = KeyMetadata as { KeyId: string; Arn: string };
  await aws("create-alias", "--alias-name", "alias/cli", "--target-key-id", keyId);
  assert.deepEqual(((await aws("list-aliases")) as { Aliases: { AliasName: string }[] }).Aliases.map((alias) => alias.AliasName), ["alias/cli"]);

  const plaintext = join(directory, "plaintext");
  writeFileSync(plaintext, "short and secret");
  const sealed = await aws("encrypt", "--key-id", "alias/cli", "--plaintext", `fileb://${plaintext}`, "--encryption-context", "person=42");
  const blob = join(directory, "blob");
  writeFileSync(blob, Buffer.from(String(sealed["CiphertextBlob"]), "base64"));
  const opened = await aws("decrypt", "--ciphertext-blob", `fileb://${blob}`, "--encryption-context", "person=42");
  assert.equal(Buffer.from(String(opened["Plaintext"]), "base64").toString(), "short and secret");
  assert.equal(opened["KeyId"], arn);
  await assert.rejects(aws("decrypt", "--ciphertext-blob", `fileb://${blob}`, "--encryption-context", "person=43"), /InvalidCiphertextException/);

  const dataKey = await aws("generate-data-key", "--key-id", keyId, "--key-spec", "AES_256");
  assert.equal(Buffer.from(String(dataKey["Plaintext"]), "base64").length, 32);
  await aws("enable-key-rotation", "--key-id", keyId);
  assert.equal((await aws("get-key-rotation-status", "--key-id", keyId))["KeyRotationEnabled"], true);
  assert.match(String((await aws("get-key-policy", "--key-id", keyId, "--policy-name", "default"))["Policy"]), /"kms:\*"/);
  await aws("disable-key", "--key-id", keyId);
  await assert.rejects(aws("generate-data-key", "--key-id", keyId, "--key-spec", "AES_256"), /DisabledException.*is disabled/);
  const deletion = await aws("schedule-key-deletion", "--key-id", keyId, "--pending-window-in-days", "7");
  assert.equal(deletion["KeyId"], arn);
});
