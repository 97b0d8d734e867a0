// The KMS tests of other emulators, run against ours. They are not part of this project: an environment variable names
// a checkout of each, STRONGROOM_PYTHON a Python that has what the suite imports. What they expect of their own
// emulator and AWS does not do is listed with the reason; anything else that fails is a fault here.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { test } from "node:test";
import { createKms } from "@strongroom/kms";
import { isThere } from "../test/clients/foreign-client.ts";

interface Suite {
  readonly name: string;
  /** Names the checkout. */
  readonly variable: string;
  /** What its tests import. */
  readonly needs: string;
  readonly tests: string;
  readonly accountId: string;
  readonly environment: (endpoint: string) => Readonly<Record<string, string>>;
  /** Tests (by name) that fail, and why that is right. */
  readonly differences: readonly (readonly [RegExp, string])[];
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
    differences: [
      [
        /test_create_key|test_create_multi_region|test_non_multi_region|test_replicate_key|multiple_aliases_for_same|test_(?:enable_key_rotation_with|put_key_policy|get_key_policy|tag_resource|list_resource_tags)|test_kms_key_rotation|test_kms_mac|test_kms_grants/,
        "its keys have the policy 'my policy', which is not JSON; its grants have operations that are none",
      ],
      [/test_kms_policy_enforcement/, "its policies would lock their author out, which AWS refuses"],
      [
        /digest_message_type|for_key_spec_type_ECDSA/,
        "a SHA-256 digest under other algorithms; signed as digest, verified as raw",
      ],
      [/test_schedule_key_deletion|test_cancel_key_deletion/, "AWS answers with the ARN, not with the id"],
      [/test_list_aliases/, "AWS gives an alias its dates, and makes its own aliases only when they are used"],
      [
        /test_unknown_tag_methods|restricted_characters|wrong_prefix|test_sign_invalid|test_verify_invalid|test_verify_empty|invalid_signature|with_invalid_key_spec/,
        "its own words for what is invalid",
      ],
      [
        /test_decrypt_validates_key_id|all_valid_key_ids/,
        "a key of another account or of other material is found there",
      ],
      [/test_kms_cloudformation/, "CloudFormation"],
    ],
  },
  {
    name: "ministack",
    variable: "STRONGROOM_MINISTACK",
    needs: "import pytest, boto3, cryptography, xdist",
    tests: "tests/test_kms.py",
    accountId: "000000000000",
    environment: (endpoint) => ({ MINISTACK_ENDPOINT: endpoint }),
    differences: [
      [/create_symmetric_key|get_put_key_policy/, "policies without a statement"],
      [/cloudformation/, "CloudFormation"],
      [/describe_nonexistent_key/, "a header beside the error's type in the body"],
      [/requires_symmetric_key|ed25519_sha_512_rejects/, "its own words for what is invalid"],
      [/ecc_secg_p256k1_key|ecc_nist_edwards25519_key/, "EncryptionAlgorithms of a key that cannot encrypt"],
      [/ed25519_ph_sha_512/, "an algorithm of AWS that it lacks"],
      [/hmac_key_rejected|usage_precedes_key_state|hmac_key_has_no_public_key/, "another order of checks"],
    ],
  },
  {
    name: "LocalStack",
    variable: "STRONGROOM_LOCALSTACK",
    needs: "import pytest, localstack.testing.pytest.fixtures, localstack_snapshot, asn1crypto",
    tests: "tests/aws/services/kms",
    accountId: "000000000000",
    environment: (endpoint) => ({ TEST_SKIP_LOCALSTACK_START: "1", TEST_AWS_ENDPOINT_URL: endpoint }),
    differences: [
      [/custom_id|custom_key/, "ids and material by tags: a seed gives them here"],
      [/offline_decrypt/, "ciphertexts in its own format"],
      [/test_re_encrypt|test_generate_data_key/, "recorded before AWS gave KeyMaterialId"],
      [/rotations_limits/, "recorded when AWS allowed ten rotations on demand; now it is 25"],
      [/hmac_create_key_invalid|invalid_generate_mac|invalid_verify_mac/, "the order in which AWS lists what is valid"],
      [/decrypt_recipient/, "attestation documents of Nitro enclaves"],
      [/cross_accounts_access/, "an access key of another account; a public key of a symmetric key"],
    ],
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
      const failed = [...said.matchAll(/^(?:FAILED|ERROR) (\S+)/gm)].map(([, name]) => name ?? "");
      const unexplained = failed.filter((name) => !suite.differences.some(([which]) => which.test(name)));
      assert.deepEqual(unexplained, []);
    },
  );
}

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
