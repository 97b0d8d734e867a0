// The AWS CLI from a key's beginning to its end, with what Terraform asks in between: more processes than a daily test
// should start.

import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { createKms } from "@strongroom/kms";
import { awsCliAbsent, awsKms } from "../test/clients/aws-cli.ts";
import { temporaryDirectory } from "../test/running-kms.ts";

test("the AWS CLI works unchanged, from create-key to schedule-key-deletion", { skip: awsCliAbsent }, async (t) => {
  await using kms = await createKms();
  const directory = await temporaryDirectory(t);
  let commands = 0;
  const run = awsKms(kms.clientConfig());
  const aws: typeof run = (...args) => {
    commands += 1;
    return run(...args);
  };
  const { KeyMetadata } = await aws("create-key", "--tags", "TagKey=team,TagValue=a");
  const { KeyId: keyId, Arn: arn } = KeyMetadata as { KeyId: string; Arn: string };
  const byKey = ["--key-id", keyId];

  // What Terraform's aws_kms_key and aws_kms_alias do on apply, and again on every refresh.
  await aws("enable-key-rotation", ...byKey);
  await aws("create-alias", "--alias-name", "alias/cli", "--target-key-id", keyId);
  for (let refresh = 0; refresh < 2; refresh++) {
    const described = (await aws("describe-key", ...byKey))["KeyMetadata"] as Record<string, unknown>;
    assert.deepEqual([described["KeyState"], described["KeyManager"]], ["Enabled", "CUSTOMER"]);
    assert.match(String((await aws("get-key-policy", ...byKey, "--policy-name", "default"))["Policy"]), /"kms:\*"/);
    assert.equal((await aws("get-key-rotation-status", ...byKey))["KeyRotationEnabled"], true);
    assert.deepEqual((await aws("list-resource-tags", ...byKey))["Tags"], [{ TagKey: "team", TagValue: "a" }]);
    assert.deepEqual(
      ((await aws("list-aliases")) as { Aliases: { AliasName: string }[] }).Aliases.map((alias) => alias.AliasName),
      ["alias/cli"],
    );
  }

  const dataKey = await aws("generate-data-key", "--key-id", "alias/cli", "--key-spec", "AES_256");
  assert.equal(Buffer.from(String(dataKey["Plaintext"]), "base64").length, 32);
  const signer = (
    (await aws("create-key", "--key-spec", "ECC_NIST_P256", "--key-usage", "SIGN_VERIFY"))["KeyMetadata"] as {
      KeyId: string;
    }
  ).KeyId;
  const [message, signature] = [join(directory, "message"), join(directory, "signature")];
  writeFileSync(message, "to be signed");
  const signing = ["--key-id", signer, "--message", `fileb://${message}`, "--signing-algorithm", "ECDSA_SHA_256"];
  writeFileSync(signature, Buffer.from(String((await aws("sign", ...signing))["Signature"]), "base64"));
  assert.equal((await aws("verify", ...signing, "--signature", `fileb://${signature}`))["SignatureValid"], true);

  await aws("disable-key", ...byKey);
  await assert.rejects(aws("generate-data-key", ...byKey, "--key-spec", "AES_256"), /DisabledException.*is disabled/);
  assert.equal((await aws("schedule-key-deletion", ...byKey, "--pending-window-in-days", "7"))["KeyId"], arn);
  t.diagnostic(`${commands} commands`);
});
