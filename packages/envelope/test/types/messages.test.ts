/**
 * What the compiler says of a call that is not right: it names the option that was forgotten, not another one.
 * That wrong calls are refused at all is options.types.ts' part.
 */
import assert from "node:assert/strict";
import { join } from "node:path";
import { describe, test } from "node:test";
import ts from "typescript";

const REPOSITORY = join(import.meta.dirname, "../../../..");

const PREAMBLE = `
  import { createDecryptStream, createEncryptStream, decrypt, decryptStream, encrypt, encryptStream } from "@strongroom/envelope";
  import type { DecryptOptions, EncryptOptions, Keyring } from "@strongroom/envelope";
  import type { MaterialsManager } from "@strongroom/envelope/materials";
  declare const bytes: Uint8Array;
  declare const keyring: Keyring;
  declare const materials: MaterialsManager;
  const encryptionContext = { id: "42" };
`;

const MISSING_CONTEXT = /Property 'encryptionContext' is missing/;
const WRONG_SUITE = /is not assignable to type '(Non)?CommittingSuiteName'/;

const REFUSED: readonly (readonly [code: string, message: RegExp])[] = [
  ["await encrypt(bytes, { keyring });", MISSING_CONTEXT],
  ["await encrypt(bytes, { materials });", MISSING_CONTEXT],
  ["await encrypt(bytes, { keyring, frameLength: 4096 });", MISSING_CONTEXT],
  ['await encrypt(bytes, { keyring, commitmentPolicy: "forbid-encrypt-allow-decrypt" });', MISSING_CONTEXT],
  ["await decrypt(bytes, { keyring });", MISSING_CONTEXT],
  ["await decrypt(bytes, { materials });", MISSING_CONTEXT],
  ["encryptStream({ keyring });", MISSING_CONTEXT],
  ["decryptStream({ keyring });", MISSING_CONTEXT],
  ["createEncryptStream({ keyring });", MISSING_CONTEXT],
  ['createDecryptStream({ keyring, signedMessages: "refuse" });', MISSING_CONTEXT],
  ["const options: EncryptOptions = { keyring }; void options;", MISSING_CONTEXT],
  ["const options: DecryptOptions = { keyring }; void options;", MISSING_CONTEXT],
  ["await encrypt(bytes, { encryptionContext });", /Property 'keyring' is missing/],
  ["await decrypt(bytes, { encryptionContext });", /Property 'keyring' is missing/],
  ["await encrypt(bytes, { keyring, materials, encryptionContext });", /'materials' are incompatible/],
  ['await encrypt(bytes, { keyring, encryptionContext, suite: "ALG_AES_256_GCM_IV12_TAG16_NO_KDF" });', WRONG_SUITE],
  [
    `await encrypt(bytes, {
      keyring,
      encryptionContext,
      suite: "ALG_AES_256_GCM_HKDF_SHA512_COMMIT_KEY",
      commitmentPolicy: "forbid-encrypt-allow-decrypt",
    });`,
    WRONG_SUITE,
  ],
  [
    `createEncryptStream({
      keyring,
      encryptionContext,
      suite: "ALG_AES_256_GCM_IV12_TAG16_NO_KDF",
      commitmentPolicy: "require-encrypt-allow-decrypt",
    });`,
    WRONG_SUITE,
  ],
  [
    'const options: EncryptOptions = { keyring, encryptionContext, suite: "ALG_AES_256_GCM_IV12_TAG16_NO_KDF" }; void options;',
    /ALG_AES_256_GCM_IV12_TAG16_NO_KDF|Property 'commitmentPolicy' is missing/,
  ],
];

const ACCEPTED = `
  interface Mine { keyring: Keyring; encryptionContext: { id: string } }
  declare const mine: Mine;
  declare const options: EncryptOptions;
  await encrypt(bytes, mine);
  await encrypt(bytes, { ...mine, frameLength: 65_536 });
  await encrypt(bytes, options);
  createEncryptStream({ ...options, plaintextLengthBound: 5 });
  const lax: EncryptOptions = { materials, encryptionContext, commitmentPolicy: "forbid-encrypt-allow-decrypt" };
  await encrypt(bytes, lax);
  await decrypt(bytes, { ...mine, commitmentPolicy: "require-encrypt-allow-decrypt" });
`;

/** What the compiler says of each of these files, which exist in memory only. */
function compile(sources: readonly string[]): readonly (readonly string[])[] {
  const { config } = ts.readConfigFile(join(REPOSITORY, "tsconfig.json"), (path) => ts.sys.readFile(path)) as {
    config: unknown;
  };
  const { options } = ts.parseJsonConfigFileContent(config, ts.sys, REPOSITORY);
  const files = new Map(sources.map((source, index) => [join(import.meta.dirname, `in-memory-${index}.ts`), source]));
  const host = ts.createCompilerHost(options);
  const onDisk = { ...host };
  host.fileExists = (name) => files.has(name) || onDisk.fileExists(name);
  host.readFile = (name) => files.get(name) ?? onDisk.readFile(name);
  host.getSourceFile = (name, version, ...rest) => {
    const source = files.get(name);
    return source === undefined
      ? onDisk.getSourceFile(name, version, ...rest)
      : ts.createSourceFile(name, source, version, true);
  };
  const program = ts.createProgram([...files.keys()], { ...options, noUnusedLocals: false }, host);
  return [...files.keys()].map((name) =>
    ts
      .getPreEmitDiagnostics(program, program.getSourceFile(name))
      .map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, "\n")),
  );
}

describe("what the compiler says", () => {
  const [accepted = [], ...refused] = compile(
    [ACCEPTED, ...REFUSED.map(([code]) => code)].map((code) => PREAMBLE + code),
  );

  test("nothing of what is right", () => {
    assert.deepEqual(accepted, []);
  });

  for (const [index, [code, expected]] of REFUSED.entries()) {
    test(code.replaceAll(/\s+/g, " "), () => {
      const said = refused[index] ?? [];
      assert.equal(said.length, 1, said.join("\n"));
      assert.match(said[0] ?? "", expected);
      assert.doesNotMatch(said[0] ?? "", /no overload/i);
    });
  }
});
