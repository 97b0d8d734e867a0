/** The examples of the providers' doc comments run as they stand, against the project's KMS, and print what they say. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtemp, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { promisify } from "node:util";
import { createKey, runningKms } from "../support/running-kms.ts";

const PROVIDERS = join(import.meta.dirname, "../../src/providers");
const REPOSITORY = join(import.meta.dirname, "../../../..");
const REGIONS = ["eu-west-1", "eu-west-2", "eu-central-1"];
const DOCUMENTED =
  /\/\*\*(?:(?!\*\/)[^])*?@example\n \* ```ts\n((?: \*.*\n)*?) \* ```\n \*\/\nexport (?:async )?function (\w+)/g;

const files = (await readdir(PROVIDERS, { recursive: true })).filter((name) => name.endsWith(".ts"));
const examples = (await Promise.all(files.map((name) => readFile(join(PROVIDERS, name), "utf8"))))
  .flatMap((source) => [...source.matchAll(DOCUMENTED)])
  .map(([, comment = "", name = ""]) => ({ name, code: comment.replaceAll(/^ \* ?/gm, "") }));
const kms = await runningKms(...REGIONS);

describe("every example of a provider's doc comment runs and prints what it says", () => {
  let folder = "";
  let environment: Record<string, string> = {};

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "envelope-provider-examples-"));
    await symlink(join(REPOSITORY, "node_modules"), join(folder, "node_modules"));
    await writeFile(join(folder, "package.json"), JSON.stringify({ type: "module" }));
    const [first = ""] = REGIONS;
    const keyIn = async (region: string, input: Parameters<typeof createKey>[1] = {}): Promise<object> => {
      const { endpoint } = kms.connection(region);
      return { region, endpoint, keyArn: await createKey(kms.client(region), input) };
    };
    const { credentials } = kms.connection(first);
    environment = {
      KMS_KEYS: JSON.stringify(await Promise.all(REGIONS.map((region) => keyIn(region)))),
      KMS_ECDH_KEY: JSON.stringify(await keyIn(first, { KeySpec: "ECC_NIST_P256", KeyUsage: "KEY_AGREEMENT" })),
      AWS_ACCESS_KEY_ID: credentials.accessKeyId,
      AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
    };
  });
  after(() => rm(folder, { recursive: true, force: true }));

  test("the entry points' functions have one each", () => {
    assert.deepEqual(examples.map(({ name }) => name).sort(), [
      "decryptDirect",
      "encryptDirect",
      "hierarchicalKeyring",
      "keysAsBytes",
      "kmsDiscoveryKeyring",
      "kmsEcdhKeyring",
      "kmsRsaKeyring",
      "multiRegionKeyring",
      "wipingAgents",
    ]);
  });

  for (const { name, code } of examples) {
    test(name, async () => {
      const file = join(folder, `${name}.ts`);
      await writeFile(file, code);
      const { stdout } = await promisify(execFile)(process.execPath, ["--conditions=@strongroom/source", file], {
        env: { ...process.env, ...environment },
      });
      const promised = [...code.matchAll(/\/\/ prints: (.*)$/gm)].map(([, text = ""]) => text);
      assert.ok(promised.length > 0);
      assert.deepEqual(stdout.trim().split("\n"), promised);
    });
  }
});
