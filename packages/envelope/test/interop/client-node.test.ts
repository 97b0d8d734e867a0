/** Every suite in a few sizes; more of everything: test-long/client-node.test.ts. */
import { describeCrossings } from "../support/client-node.ts";

describeCrossings({
  contexts: [{}, { b: "2", a: "1", "\u00e9": "\u{1F600}", long: "x".repeat(2000) }],
  sizes: { "raw AES": [0, 4096, 9_000], "raw RSA": [4096], "KMS in three regions": [5_000] },
  frameLengths: [4096],
});
