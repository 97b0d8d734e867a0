import assert from "node:assert/strict";
import { resolve } from "node:path";
import { test } from "node:test";
import { createKms } from "@strongroom/kms";
import { ACCOUNT } from "../running-kms.ts";
import { awsEnvironment, isThere, output } from "./foreign-client.ts";

const PYTHON = process.env["STRONGROOM_PYTHON"] ?? "python3";
const absent = isThere(PYTHON, "-c", "from importlib.util import find_spec; exit(find_spec('boto3') is None)")
  ? false
  : `${PYTHON} has no boto3 here: install it, or name another Python in STRONGROOM_PYTHON`;

test("boto3 works unchanged", { skip: absent }, async () => {
  await using kms = await createKms();
  // Older boto3 knows no environment variable for the endpoint.
  const start = `import boto3, functools, os; boto3.client = functools.partial(boto3.client, endpoint_url=os.environ["AWS_ENDPOINT_URL"]); import runpy; runpy.run_path(${JSON.stringify(resolve(import.meta.dirname, "boto3_calls.py"))})`;
  const done = await output(PYTHON, ["-c", start], { ...awsEnvironment(kms.clientConfig()), ACCOUNT });
  assert.equal(
    done.trim(),
    "keys_and_aliases data_keys_and_encryption signatures_and_macs what_terraform_asks grants wrong_signature",
  );
});
