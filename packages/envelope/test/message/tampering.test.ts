/** One message of each version, with and without frames, and a signed one. All suites: test-long/tampering.test.ts. */
import { ALGORITHM_SUITES } from "@strongroom/envelope/format";
import { describeTampering } from "../support/tampering.ts";

describeTampering([
  [ALGORITHM_SUITES.ALG_AES_256_GCM_IV12_TAG16_HKDF_SHA256, 4],
  [ALGORITHM_SUITES.ALG_AES_256_GCM_IV12_TAG16_HKDF_SHA256, null],
  [ALGORITHM_SUITES.ALG_AES_256_GCM_HKDF_SHA512_COMMIT_KEY, 4],
  [ALGORITHM_SUITES.ALG_AES_256_GCM_HKDF_SHA512_COMMIT_KEY_ECDSA_P384, 4],
]);
