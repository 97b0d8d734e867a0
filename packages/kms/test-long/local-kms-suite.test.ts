// The functional tests of nsmithuk/local-kms, which its author also ran against AWS. They are not part of this
// project: STRONGROOM_LOCAL_KMS names a checkout of that repository, STRONGROOM_PYTHON a Python that has what its
// tests/functional/requirments.txt lists. The tests do not sign, so a signing proxy stands in between.

import assert from "node:assert/strict";
import { once } from "node:events";
import { join } from "node:path";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import { createKms } from "@strongroom/kms";
import { isThere, output } from "../test/clients/foreign-client.ts";
import { signingProxy } from "./signing-proxy.ts";

const checkout = process.env["STRONGROOM_LOCAL_KMS"];
const python = process.env["STRONGROOM_PYTHON"] ?? "python3";
const NEEDED = "import pytest, requests, aws_requests_auth, oscrypto.asymmetric";

function absent(): string | false {
  if (checkout === undefined) return "STRONGROOM_LOCAL_KMS does not name a checkout of nsmithuk/local-kms";
  return isThere(python, "-c", NEEDED)
    ? false
    : `${python} lacks what the suite needs (${NEEDED}): name another in STRONGROOM_PYTHON`;
}

test("the functional suite of local-kms passes whole", { skip: absent(), timeout: 600_000 }, async (t) => {
  await using kms = await createKms({ regions: [{ name: "eu-west-2", port: 0 }] });
  const proxy = signingProxy(kms.clientConfig());
  proxy.listen(0, "127.0.0.1");
  await once(proxy, "listening");
  t.after(() => {
    proxy.close();
    proxy.closeAllConnections();
  });
  const suite = join(checkout ?? "", "tests", "functional");
  const env = {
    PATH: process.env["PATH"] ?? "",
    PYTHONPATH: suite,
    PYTHONDONTWRITEBYTECODE: "1",
    KMS_URL: `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`,
  };
  const said = await output(
    python,
    [
      "-m",
      "pytest",
      "-q",
      "-p",
      "no:cacheprovider",
      "-p",
      "no:logging",
      "-o",
      "log_cli=false",
      "--rootdir",
      suite,
      suite,
    ],
    env,
  );
  t.diagnostic(said.trim().split("\n").at(-1) ?? "");
  assert.match(said, /\b\d+ passed/);
  assert.doesNotMatch(said, /\b(?:failed|error|skipped|xfailed)\b/);
});
