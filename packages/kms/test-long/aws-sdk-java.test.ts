// The AWS SDK for Java 2, unchanged. STRONGROOM_AWS_SDK_JAVA names a folder with its jars; `npm run test:interop`
// leaves one in the cache.

import assert from "node:assert/strict";
import { globSync } from "node:fs";
import { homedir } from "node:os";
import { join, resolve } from "node:path";
import { test } from "node:test";
import { createKms } from "@strongroom/kms";
import { awsEnvironment, isThere, output } from "../test/clients/foreign-client.ts";

const cache =
  process.env["STRONGROOM_CACHE"] ?? join(process.env["XDG_CACHE_HOME"] ?? join(homedir(), ".cache"), "strongroom");
const libraries = process.env["STRONGROOM_AWS_SDK_JAVA"] ?? globSync(join(cache, "interop/java-*/libraries"))[0];

function absent(): string | false {
  if (!isThere("java", "-version")) return "there is no java here";
  return (
    libraries === undefined &&
    "there is no AWS SDK for Java here: name a folder with its jars in STRONGROOM_AWS_SDK_JAVA, or run `npm run " +
      "test:interop`, which brings it"
  );
}

test("the AWS SDK for Java works unchanged", { skip: absent(), timeout: 180_000 }, async () => {
  await using kms = await createKms();
  const config = kms.clientConfig();
  const source = resolve(import.meta.dirname, "java/Calls.java");
  const environment = { ...awsEnvironment(config), AWS_REGION: config.region };
  const done = await output("java", ["-cp", join(libraries ?? "", "*"), source], environment);
  assert.equal(done.trim(), "keysAndAliases dataKeysAndEncryption signaturesAndMacs whatTerraformAsks states");
});
