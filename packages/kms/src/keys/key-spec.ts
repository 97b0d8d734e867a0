// What each key spec is: its material, its usages and its algorithms, as one table. Source: AWS KMS
// Developer Guide, "Key spec reference", and the KMS service model.

/** What a key may be used for. */
export const KEY_USAGES = [
  "ENCRYPT_DECRYPT",
  "SIGN_VERIFY",
  "GENERATE_VERIFY_MAC",
  "KEY_AGREEMENT",
  "ENCAPSULATE_DECAPSULATE",
] as const;
export type KeyUsage = (typeof KEY_USAGES)[number];

/** How the secret of a key is made and what Node calls it. */
export type MaterialKind =
  | { readonly kind: "bytes"; readonly length: number }
  | { readonly kind: "rsa"; readonly modulusLength: number }
  | { readonly kind: "ec"; readonly curve: string }
  | {
      readonly kind: "named";
      readonly algorithm:
        "ed25519" | "ml-dsa-44" | "ml-dsa-65" | "ml-dsa-87" | "ml-kem-512" | "ml-kem-768" | "ml-kem-1024";
    };

interface KeySpecEntry {
  readonly material: MaterialKind;
  /** The usages a key of this spec can have, each with its algorithms in AWS's order. */
  readonly algorithms: Readonly<Partial<Record<KeyUsage, readonly string[]>>>;
}

const OAEP = ["RSAES_OAEP_SHA_1", "RSAES_OAEP_SHA_256"] as const;
const RSA_SIGNING = [
  "RSASSA_PKCS1_V1_5_SHA_256",
  "RSASSA_PKCS1_V1_5_SHA_384",
  "RSASSA_PKCS1_V1_5_SHA_512",
  "RSASSA_PSS_SHA_256",
  "RSASSA_PSS_SHA_384",
  "RSASSA_PSS_SHA_512",
] as const;

const rsa = (modulusLength: number): KeySpecEntry => ({
  material: { kind: "rsa", modulusLength },
  algorithms: { ENCRYPT_DECRYPT: OAEP, SIGN_VERIFY: RSA_SIGNING },
});
const nist = (curve: string, signing: string): KeySpecEntry => ({
  material: { kind: "ec", curve },
  algorithms: { SIGN_VERIFY: [signing], KEY_AGREEMENT: ["ECDH"] },
});
const hmac = (bits: 224 | 256 | 384 | 512): KeySpecEntry => ({
  material: { kind: "bytes", length: bits / 8 },
  algorithms: { GENERATE_VERIFY_MAC: [`HMAC_SHA_${bits}`] },
});
const mlDsa = (algorithm: "ml-dsa-44" | "ml-dsa-65" | "ml-dsa-87"): KeySpecEntry => ({
  material: { kind: "named", algorithm },
  algorithms: { SIGN_VERIFY: ["ML_DSA_SHAKE_256"] },
});
const mlKem = (algorithm: "ml-kem-512" | "ml-kem-768" | "ml-kem-1024"): KeySpecEntry => ({
  material: { kind: "named", algorithm },
  algorithms: { ENCAPSULATE_DECAPSULATE: ["ML_KEM"] },
});

export type KeySpec =
  | "SYMMETRIC_DEFAULT"
  | "RSA_2048"
  | "RSA_3072"
  | "RSA_4096"
  | "ECC_NIST_P256"
  | "ECC_NIST_P384"
  | "ECC_NIST_P521"
  | "ECC_SECG_P256K1"
  | "ECC_NIST_EDWARDS25519"
  | "HMAC_224"
  | "HMAC_256"
  | "HMAC_384"
  | "HMAC_512"
  | "ML_DSA_44"
  | "ML_DSA_65"
  | "ML_DSA_87"
  | "ML_KEM_512"
  | "ML_KEM_768"
  | "ML_KEM_1024";

/** Every key spec that this server makes. SM2 exists in AWS's China regions only, so it is not one of them. */
export const KEY_SPECS: Readonly<Record<KeySpec, KeySpecEntry>> = {
  SYMMETRIC_DEFAULT: {
    material: { kind: "bytes", length: 32 },
    algorithms: { ENCRYPT_DECRYPT: ["SYMMETRIC_DEFAULT"] },
  },
  RSA_2048: rsa(2048),
  RSA_3072: rsa(3072),
  RSA_4096: rsa(4096),
  ECC_NIST_P256: nist("prime256v1", "ECDSA_SHA_256"),
  ECC_NIST_P384: nist("secp384r1", "ECDSA_SHA_384"),
  ECC_NIST_P521: nist("secp521r1", "ECDSA_SHA_512"),
  ECC_SECG_P256K1: { material: { kind: "ec", curve: "secp256k1" }, algorithms: { SIGN_VERIFY: ["ECDSA_SHA_256"] } },
  ECC_NIST_EDWARDS25519: {
    material: { kind: "named", algorithm: "ed25519" },
    algorithms: { SIGN_VERIFY: ["ED25519_SHA_512", "ED25519_PH_SHA_512"] },
  },
  HMAC_224: hmac(224),
  HMAC_256: hmac(256),
  HMAC_384: hmac(384),
  HMAC_512: hmac(512),
  ML_DSA_44: mlDsa("ml-dsa-44"),
  ML_DSA_65: mlDsa("ml-dsa-65"),
  ML_DSA_87: mlDsa("ml-dsa-87"),
  ML_KEM_512: mlKem("ml-kem-512"),
  ML_KEM_768: mlKem("ml-kem-768"),
  ML_KEM_1024: mlKem("ml-kem-1024"),
};

/** The algorithms of a key with this spec and usage; empty if the two do not go together. */
export const algorithmsOf = (spec: KeySpec, usage: KeyUsage): readonly string[] =>
  KEY_SPECS[spec].algorithms[usage] ?? [];

/** All names in AWS's enumerations, SM2 included: they are valid input, only not available here. */
export const KEY_SPEC_NAMES: readonly (KeySpec | "SM2")[] = [...(Object.keys(KEY_SPECS) as KeySpec[]), "SM2"];

/** What there was when `CustomerMasterKeySpec` was the name of the member. */
export const CUSTOMER_MASTER_KEY_SPECS: readonly (KeySpec | "SM2")[] = KEY_SPEC_NAMES.filter(
  (name) => !/^(?:ML_|ECC_NIST_EDWARDS)/.test(name),
);

/** Encryption algorithms in AWS's enumeration. */
export const ENCRYPTION_ALGORITHMS = ["SYMMETRIC_DEFAULT", "RSAES_OAEP_SHA_1", "RSAES_OAEP_SHA_256", "SM2PKE"] as const;
export type EncryptionAlgorithm = (typeof ENCRYPTION_ALGORITHMS)[number];
