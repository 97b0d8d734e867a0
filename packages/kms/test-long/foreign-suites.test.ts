// The KMS tests of other emulators, run against ours. They are not part of this project: an environment variable names
// a checkout of each, STRONGROOM_PYTHON a Python that has what the suite imports. What they expect of their own
// emulator and AWS does not do is listed with the reason (foreign-differences.ts); anything else that fails is a fault
// here.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { test } from "node:test";
import { createKms } from "@strongroom/kms";
import { isThere } from "../test/clients/foreign-client.ts";
import { LOCALSTACK, MINISTACK, MOTO } from "./foreign-differences.ts";
import type { Differences } from "./foreign-differences.ts";

interface Suite {
  readonly name: string;
  /** Names the checkout. */
  readonly variable: string;
  /** What its tests import. */
  readonly needs: string;
  readonly tests: string;
  readonly accountId: string;
  readonly environment: (endpoint: string) => Readonly<Record<string, string>>;
  readonly differences: Differences;
}

const SUITES: readonly Suite[] = [
  {
    name: "moto",
    variable: "STRONGROOM_MOTO",
    needs: "import pytest, boto3, moto, freezegun, flask, flask_cors, cryptography",
    tests: "tests/test_kms",
    accountId: "123456789012",
    environment: (endpoint) => ({
      TEST_SERVER_MODE: "true",
      TEST_SERVER_MODE_ENDPOINT: endpoint,
      AWS_ACCESS_KEY_ID: "x",
      AWS_SECRET_ACCESS_KEY: "x",
    }),
    differences: MOTO,
  },
  {
    name: "ministack",
    variable: "STRONGROOM_MINISTACK",
    needs: "import pytest, boto3, cryptography, xdist",
    tests: "tests/test_kms.py",
    accountId: "000000000000",
    environment: (endpoint) => ({ MINISTACK_ENDPOINT: endpoint }),
    differences: MINISTACK,
  },
  {
    name: "LocalStack",
    variable: "STRONGROOM_LOCALSTACK",
    needs: "import pytest, localstack.testing.pytest.fixtures, localstack_snapshot, asn1crypto",
    tests: "tests/aws/services/kms",
    accountId: "000000000000",
    environment: (endpoint) => ({ TEST_SKIP_LOCALSTACK_START: "1", TEST_AWS_ENDPOINT_URL: endpoint }),
    differences: LOCALSTACK,
  },
];

const python = process.env["STRONGROOM_PYTHON"] ?? "python3";

function absent({ variable, name, needs }: Suite): string | false {
  if (process.env[variable] === undefined) return `${variable} does not name a checkout of ${name}`;
  return isThere(python, "-c", needs) ? false : `${python} lacks what the suite needs (${needs})`;
}

for (const suite of SUITES) {
  test(
    `the KMS tests of ${suite.name} fail only where it differs from AWS`,
    { skip: absent(suite), timeout: 900_000 },
    async (t) => {
      await using kms = await createKms({ emulator: "loopback", accountId: suite.accountId });
      const said = await pytest(suite, kms.emulatorEndpoint ?? "");
      t.diagnostic(said.trim().split("\n").at(-1) ?? "");
      assert.match(said, /\b\d+ passed/);
      const failed = [...said.matchAll(/^(?:FAILED|ERROR) (.+?)(?: - .*)?$/gm)].map(([, name]) => testOf(name ?? ""));
      const known = new Set(suite.differences.flatMap(([, tests]) => tests));
      const unexplained = failed.filter((name) => !known.has(name) && !known.has(withoutParameters(name)));
      const passing = [...known].filter(
        (name) => !failed.some((one) => one === name || withoutParameters(one) === name),
      );
      if (passing.length > 0) t.diagnostic(`no difference any more: ${passing.join(", ")}`);
      assert.deepEqual(unexplained, []);
    },
  );
}

/** `test_NAME[PARAMETERS]` of `FILE::CLASS::test_NAME[PARAMETERS]`. */
const testOf = (id: string): string => id.replace(/^[^[]*::/, "");
const withoutParameters = (name: string): string => name.replace(/\[.*$/, "");

/** Runs a suite; that tests fail is no failure of the run. */
async function pytest({ tests, variable, environment }: Suite, endpoint: string): Promise<string> {
  const cwd = process.env[variable] ?? "";
  const child = spawn(python, ["-m", "pytest", "-q", "-p", "no:cacheprovider", "--tb=no", "-rfE", tests], {
    cwd,
    env: {
      PATH: process.env["PATH"],
      PYTHONPATH: cwd,
      PYTHONDONTWRITEBYTECODE: "1",
      COLUMNS: "400",
      ...environment(endpoint),
    },
    stdio: ["ignore", "pipe", "ignore"],
  });
  let said = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    said += text;
  });
  await once(child, "close");
  return said;
}
