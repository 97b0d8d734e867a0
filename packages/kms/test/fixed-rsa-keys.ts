// RSA keys with fixed primes, for tests that are about using keys: making one of 4096 bits takes a second.

import { createPrivateKey } from "node:crypto";

/** base64url of the two primes. Not secret: they are written here. */
const PRIMES = {
  RSA_2048: [
    "7W4awkWS1LlbpTRH-Y957QMXv-qctVCUvZzeK8ydKmvhhjineMgKiC8dN_fdmYynncpoWS9X2MqGsNTJQKjkHg-7nT6pTQwKZaJabFs7sga6lULuFcxUNAiEKfkpKP13_t0THPZofHNC6g9XVoGMWu-mEuAzWFk-lLeqW5ZnO5U",
    "0ifUTxMNAyRleq2QJ7htHp3T_WvP1W1LS_GU79qYjbisDH_ddVZOA4FLPEjEl7X27jQESxT6fZqisNQAUUeElUNzV9tpRrWcqYew56Dxl27wfRh2RRnV0yk1L8kQN1nmIlgCSVtztFIiOMyg4sXvwKfsulHao1aFUlr4xe9mPg8",
  ],
  RSA_3072: [
    "7oxT_M7JVe9Fkc5XjvFMfrCyTvBjZN5Qfhx1HZ15kH9_klszm3EFDxU1yoet93E2r0-q7jvjIspC64FViBl9fH3D4erNo3AYO415i3Qduyif69MohB5E8SARzazBR0im3tzxn5yLHJ2u_-WbJ85vtm-NK5alE55rVn6f-EayRJDl8K8QvgfmVD3m_ogtikkQJlf7NVSjFgcq-1tZKN_IMJUa21-MI8cIbcL12AdSFt1G4M2Im4_Gq3-ltNvrzm6v",
    "0pLuiBx3w_8EQmS6Mv0U2zhfDnQPOdBHfehTnzcyV_-qBx0S-YghmYOLjM0RS_dJMkAuLX9ldeyUYpWtEr7xXyQWJTK5Fq6bF1lQmTC5K8tgdthiwFWwhqbWHCLUL-DJeVU09yjqWxMEbe-hx_h_saM8Pi9IQBr89C3QRCNsI1gsHCgzrYbxR9qb7coubTlXBkTI4VYDkfuY1rAhII0iTBM7fwHkOlw7Ue3mtO9nvLisXSVRmO_xQnVbTDIyMK8P",
  ],
  RSA_4096: [
    "_MkUmj74kz4HiKBzzGrkMOfvp-DdMVE3gpFbhkpCSm69Rzbu5MU3_52NFhiqfUHAT8ZqIyIYWxzy3chIKvvmUAu_f7pKDYl8oRUZzpeuSBW8vi8ALKs28OpKVyRs8TCP92Y2aFwKoshROiMdKczcMJLWGEcxqG3r6zVHxlm2yLyIn6_VihDQSZ6_tA5GRoy8p4_TXPkD26QgbxBJPQuz7kr5QNgOomON2GjC2BvLq2jiOBpiw1WOUp2o3JVH9MFSrikMlpo3y5x6wRVLJECbvzzndXh02bhyWYwX3npFED1HSAoH8nTH5i5KGSwSE8JJEU_JesPE_daDCgYEY1x8jQ",
    "yYcCJkMyYO6Q3DVOVjpSDTWEvchpFdEzDZyKQRfYJKcZkGZB6f3GIOKbWWIkEZEVkD8YC0MVU9MfP3LpvAGghB51Udh2j1pApHB9PQuVhqkBM2jSjA4TSu1QCB6R0o2zZwWorJBoc1IySNgL2nLkxNNaZ_eWhE2Rzj3Ulpa8gV67rtwADfnsM4LjaBppAadAqC36KendC-p7PCa6XmgzDbC_NsuD7t5osVUXKCOir5PUKEK8ktbxDCIySy_HetF521tfmnspY3Pzj30QF2_QNbouFYY5D_IA2BUrZx3O-E8mx5TpLpMEiRUgDTZLPA-VxYdjvtYj1tGXaArdiCzerw",
  ],
} as const;

const E = 65537n;
const toBigInt = (text: string): bigint => BigInt(`0x${Buffer.from(text, "base64url").toString("hex")}`);

function toBase64url(value: bigint): string {
  const digits = value.toString(16);
  return Buffer.from(digits.padStart(digits.length + (digits.length % 2), "0"), "hex").toString("base64url");
}

/** The inverse of `a` modulo `m`, by Euclid's extended algorithm. */
function inverse(a: bigint, m: bigint): bigint {
  let [r, next, x, nextX] = [m, a % m, 0n, 1n];
  while (next !== 0n) {
    const quotient = r / next;
    [r, next, x, nextX] = [next, r - quotient * next, nextX, x - quotient * nextX];
  }
  return ((x % m) + m) % m;
}

/** The private key in PEM (PKCS #8), as a seed takes it. */
export function fixedRsaKey(spec: keyof typeof PRIMES): string {
  const [p, q] = PRIMES[spec];
  const [a, b] = [toBigInt(p), toBigInt(q)];
  const d = inverse(E, (a - 1n) * (b - 1n));
  const key = {
    kty: "RSA",
    n: toBase64url(a * b),
    e: toBase64url(E),
    d: toBase64url(d),
    p,
    q,
    dp: toBase64url(d % (a - 1n)),
    dq: toBase64url(d % (b - 1n)),
    qi: toBase64url(inverse(b, a)),
  };
  return createPrivateKey({ key, format: "jwk" }).export({ type: "pkcs8", format: "pem" }) as string;
}
