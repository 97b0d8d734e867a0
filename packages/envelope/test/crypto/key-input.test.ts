/** Keys in every encoding that they come in, and what is said of those that cannot be taken. */
import assert from "node:assert/strict";
import { createPublicKey, generateKeyPairSync, type KeyObject } from "node:crypto";
import { describe, test } from "node:test";
import vm from "node:vm";
import { decrypt, encrypt } from "@strongroom/envelope";
import { rawEcdhKeyring } from "@strongroom/envelope/raw-ecdh";
import { rawRsaKeyring } from "@strongroom/envelope/raw-rsa";
import { throwsWith } from "../support/errors.ts";

const rsa = generateKeyPairSync("rsa", { modulusLength: 2_048 });
const ec = generateKeyPairSync("ec", { namedCurve: "P-256" });
const wide = generateKeyPairSync("ec", { namedCurve: "P-384" });
const pss = generateKeyPairSync("rsa-pss", { modulusLength: 2_048 });
const protect = { cipher: "aes-256-cbc", passphrase: "p" } as const;

type Form = (key: KeyObject) => string | Uint8Array | KeyObject;
const pem =
  (type: "spki" | "pkcs1" | "pkcs8" | "sec1"): Form =>
  (key) =>
    key.export({ format: "pem", type } as never);
const der =
  (type: "spki" | "pkcs1" | "pkcs8" | "sec1"): Form =>
  (key) =>
    key.export({ format: "der", type } as never);
const withMore = (forms: readonly Form[]): readonly Form[] => [
  ...forms,
  ...forms.map(
    (form): Form =>
      (key) =>
        Buffer.from(form(key) as string),
  ),
  (key) => key,
  (key) => `a comment before it\r\n${(forms[0]!(key) as string).replaceAll("\n", "\r\n")}`,
  (key) =>
    vm.runInNewContext("Uint8Array.from(list)", { list: [...Buffer.from(forms[0]!(key) as string)] }) as Uint8Array,
];

const RSA_PUBLIC = [...withMore([pem("spki"), pem("pkcs1")]), der("spki"), der("pkcs1")];
const RSA_PRIVATE = [...withMore([pem("pkcs8"), pem("pkcs1")]), der("pkcs8"), der("pkcs1")];
const EC_PUBLIC = [...withMore([pem("spki")]), der("spki")];
const EC_PRIVATE = [...withMore([pem("pkcs8"), pem("sec1")]), der("pkcs8"), der("sec1")];

const encryptionContext = { id: "42" };
const names = { keyNamespace: "test", keyName: "k" };
const curve = "ECC_NIST_P256";

test("an RSA key is taken in every encoding", async () => {
  for (const publicForm of RSA_PUBLIC) {
    const { message } = await encrypt(Buffer.from("x"), {
      keyring: rawRsaKeyring({ ...names, publicKey: publicForm(rsa.publicKey) }),
      encryptionContext,
    });
    for (const privateForm of RSA_PRIVATE)
      await decrypt(message, {
        keyring: rawRsaKeyring({ ...names, privateKey: privateForm(rsa.privateKey) }),
        encryptionContext,
      });
  }
});

test("a key of a curve is taken in every encoding", async () => {
  for (const publicForm of EC_PUBLIC) {
    const writer = rawEcdhKeyring({
      curve,
      schema: { kind: "EphemeralPrivateKeyToStaticPublicKey", recipientPublicKey: publicForm(ec.publicKey) },
    });
    const { message } = await encrypt(Buffer.from("x"), { keyring: writer, encryptionContext });
    for (const privateForm of EC_PRIVATE) {
      const reader = rawEcdhKeyring({
        curve,
        schema: { kind: "PublicKeyDiscovery", recipientPrivateKey: privateForm(ec.privateKey) },
      });
      await decrypt(message, { keyring: reader, encryptionContext });
    }
  }
});

describe("what cannot be taken is refused with the reason", () => {
  const encrypted = (key: KeyObject) => [
    key.export({ format: "pem", type: "pkcs8", ...protect }),
    key.export({ format: "der", type: "pkcs8", ...protect }),
    Buffer.from(key.export({ format: "pem", type: "pkcs8", ...protect })),
  ];
  const CERTIFICATE = "-----BEGIN CERTIFICATE-----\nMA==\n-----END CERTIFICATE-----\n";
  const RSA_OPTION = (half: "publicKey" | "privateKey") => (key: unknown) => rawRsaKeyring({ ...names, [half]: key });
  const ecPublic = (key: unknown) =>
    rawEcdhKeyring({
      curve,
      schema: { kind: "EphemeralPrivateKeyToStaticPublicKey", recipientPublicKey: key as string },
    });
  const ecPrivate = (key: unknown) =>
    rawEcdhKeyring({ curve, schema: { kind: "PublicKeyDiscovery", recipientPrivateKey: key as string } });

  for (const [what, make, keys, reason] of [
    [
      "an encrypted RSA key",
      RSA_OPTION("privateKey"),
      [...encrypted(rsa.privateKey), rsa.privateKey.export({ format: "pem", type: "pkcs1", ...protect })],
      /not encrypted/,
    ],
    [
      "an encrypted key of a curve",
      ecPrivate,
      [...encrypted(ec.privateKey), ec.privateKey.export({ format: "pem", type: "sec1", ...protect })],
      /not encrypted/,
    ],
    [
      "a private RSA key for the public half",
      RSA_OPTION("publicKey"),
      RSA_PRIVATE.map((form) => form(rsa.privateKey)),
      /must be the public half/,
    ],
    [
      "a public RSA key for the private one",
      RSA_OPTION("privateKey"),
      RSA_PUBLIC.map((form) => form(rsa.publicKey)),
      /must be the private key/,
    ],
    [
      "a private key of a curve for the public half",
      ecPublic,
      EC_PRIVATE.map((form) => form(ec.privateKey)),
      /must be the public half/,
    ],
    [
      "a public key of a curve for the private one",
      ecPrivate,
      EC_PUBLIC.map((form) => form(ec.publicKey)),
      /must be the private key/,
    ],
    [
      "another curve, public",
      ecPublic,
      EC_PUBLIC.map((form) => form(wide.publicKey)),
      /must be a key of ECC_NIST_P256, not secp384r1/,
    ],
    [
      "another curve, private",
      ecPrivate,
      EC_PRIVATE.map((form) => form(wide.privateKey)),
      /must be a key of ECC_NIST_P256, not secp384r1/,
    ],
    [
      "RSA for a curve",
      ecPublic,
      [rsa.publicKey, pem("spki")(rsa.publicKey), der("spki")(rsa.publicKey), der("pkcs1")(rsa.publicKey)],
      /not a key of the type rsa/,
    ],
    ["a curve for RSA", RSA_OPTION("publicKey"), EC_PUBLIC.map((form) => form(ec.publicKey)), /not one of the type ec/],
    [
      "a key for PSS",
      RSA_OPTION("publicKey"),
      [pss.publicKey, pem("spki")(pss.publicKey)],
      /not one of the type rsa-pss/,
    ],
    ["a certificate", RSA_OPTION("publicKey"), [CERTIFICATE, Buffer.from(CERTIFICATE)], /not a CERTIFICATE/],
    [
      "base64 without its PEM",
      ecPublic,
      [(der("spki")(ec.publicKey) as Buffer).toString("base64")],
      /must be a public key: PEM or DER/,
    ],
    [
      "half of a PEM",
      ecPublic,
      [(pem("spki")(ec.publicKey) as string).slice(0, 80)],
      /must be a public key: PEM or DER/,
    ],
  ] as const) {
    test(what, () => {
      for (const key of keys) {
        const { message, cause } = throwsWith(() => make(key), "option-invalid");
        assert.match(message, reason);
        assert.equal(cause, undefined, "what node says of a key may quote it");
      }
    });
  }
  assert.equal(createPublicKey(ec.privateKey).type, "public");
});
