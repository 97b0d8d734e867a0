import { describeCrossings } from "../test/support/client-node.ts";

describeCrossings({
  contexts: [{}, { id: "42" }, { b: "2", a: "1", "\u00e9": "\u{1F600}", long: "x".repeat(2000) }],
  sizes: {
    "raw AES": [0, 1, 4095, 4096, 4097, 20_000],
    "raw RSA": [0, 4096, 9_000],
    "KMS in three regions": [0, 5_000],
  },
  frameLengths: [1024, 4096],
});
