import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { promisify } from "node:util";
import { KMS } from "@aws-sdk/client-kms";
import { createKms } from "@strongroom/kms";
import type { Kms } from "@strongroom/kms";

const REPOSITORY = join(import.meta.dirname, "../../..");
const REGIONS = ["eu-west-1", "eu-west-2", "eu-central-1"];

const readme = await readFile(join(import.meta.dirname, "../README.md"), "utf8");
const examples = [...readme.matchAll(/^## (.+?)\n[\s\S]*?^```ts\n([\s\S]*?)^```/gm)].map(
  ([, title = "", code = ""]) => ({ title, code }),
);

describe("every example of the README runs and prints what it says", () => {
  let folder = "";
  let kms: Kms | undefined;
  let environment: Record<string, string> = {};

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "envelope-readme-"));
    await symlink(join(REPOSITORY, "node_modules"), join(folder, "node_modules"));
    await writeFile(join(folder, "package.json"), JSON.stringify({ type: "module" }));
    kms = await createKms({
      dataDir: join(folder, "kms"),
      regions: REGIONS.map((name) => ({ name, port: 0 })),
      rootKey: { kind: "file", path: join(folder, "kms", "root.key") },
    });
    const credentials = JSON.parse(await readFile(join(folder, "kms", "credentials.json"), "utf8")) as {
      readonly accessKeyId: string;
      readonly secretAccessKey: string;
    };
    const keys = await Promise.all(
      REGIONS.map(async (region) => {
        const endpoint = kms?.endpoints[region] ?? "";
        const { KeyMetadata } = await new KMS({ region, endpoint, credentials }).createKey({});
        return { region, endpoint, keyArn: KeyMetadata?.Arn };
      }),
    );
    environment = {
      KMS_KEYS: JSON.stringify(keys),
      AWS_ACCESS_KEY_ID: credentials.accessKeyId,
      AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
    };
  });

  after(async () => {
    await kms?.close();
    await rm(folder, { recursive: true, force: true });
  });

  test("there are five", () => {
    assert.equal(examples.length, 5);
  });

  for (const [index, { title, code }] of examples.entries()) {
    test(title, async () => {
      const file = join(folder, `example-${index}.ts`);
      await writeFile(file, code);
      const { stdout } = await promisify(execFile)(process.execPath, ["--conditions=@strongroom/source", file], {
        env: { ...process.env, ...environment },
      });
      const promised = [...code.matchAll(/\/\/ prints: (.*)$/gm)].map(([, text = ""]) => text);
      assert.ok(promised.length > 0);
      const printed = stdout.trim().split("\n");
      assert.equal(printed.length, promised.length, stdout);
      for (const [line, text] of promised.entries())
        assert.ok(printed[line]?.startsWith(text), `${printed[line] ?? ""} instead of ${text}`);
    });
  }
});
