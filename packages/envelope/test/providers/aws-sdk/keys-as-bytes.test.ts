/** The plug-in in the SDK's own client: over a transport that shows what passes, and against the project's KMS. */
import assert from "node:assert/strict";
import { createHash, createPrivateKey, createPublicKey } from "node:crypto";
import { PassThrough, Readable } from "node:stream";
import { describe, test } from "node:test";
import { KMS, KMSClient, GenerateDataKeyCommand } from "@aws-sdk/client-kms";
import { keysAsBytes, wipingAgents } from "@strongroom/envelope/aws-sdk";
import { LONGEST_ANSWER } from "../../../src/providers/aws-sdk/collect-body.ts";
import { failureKind } from "../../../src/providers/aws-kms/kms-call.ts";
import { createKey, runningKms } from "../../support/running-kms.ts";

const KEY_ID = "arn:aws:kms:eu-west-1:000000000000:key/1";
const KEY = Buffer.from("0123456789abcdef0123456789abcdef");
const BASE64 = KEY.toString("base64");

interface Sent {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
}

/** An answer: its status and the pieces in which it comes. */
interface Canned {
  readonly status?: number;
  readonly pieces: readonly string[];
}

/** A client whose calls are answered from `answers`, one after the other, and what it sent and was given. */
function cannedClient(answers: readonly Canned[], maxAttempts = 1) {
  const sent: {
    readonly headers: Readonly<Record<string, string>>;
    readonly body: Uint8Array;
    readonly copy: string;
  }[] = [];
  const given: Buffer[] = [];
  const client = keysAsBytes(
    new KMS({
      region: "eu-west-1",
      credentials: { accessKeyId: "AKIDEXAMPLE", secretAccessKey: "secret" },
      maxAttempts,
      requestHandler: {
        handle: async (request: Sent) => {
          const { status = 200, pieces } = answers[sent.length] ?? { pieces: [] };
          sent.push({
            headers: { ...request.headers },
            body: request.body,
            copy: new TextDecoder().decode(request.body),
          });
          const buffers = pieces.map((piece) => Buffer.from(piece));
          given.push(...buffers);
          return {
            response: {
              statusCode: status,
              headers: { "content-type": "application/x-amz-json-1.1" },
              body: Readable.from(buffers, { objectMode: false }),
            },
          };
        },
      } as never,
    }),
  );
  return { client, sent, given };
}

const generate = (pieces: readonly string[]) => {
  const { client, given } = cannedClient([{ pieces }]);
  return { given, answer: client.generateDataKey({ KeyId: KEY_ID, NumberOfBytes: 32 }) };
};
const wiped = (bytes: Uint8Array): boolean => bytes.every((byte) => byte === 0);

describe("an answer with a key", () => {
  const whole = `{"CiphertextBlob":"YWJj","KeyId":"${KEY_ID}","Plaintext":"${BASE64}","KeyMaterialId":"m"}`;

  test("has the key as bytes, and everything else as ever", async () => {
    const { $metadata, ...output } = await generate([whole]).answer;
    assert.equal($metadata.httpStatusCode, 200);
    assert.deepEqual(output, {
      CiphertextBlob: new Uint8Array([97, 98, 99]),
      KeyId: KEY_ID,
      Plaintext: KEY,
      KeyMaterialId: "m",
    });
  });

  test("may come in pieces of any size; each is wiped", async () => {
    for (const size of [1, 7, 100]) {
      const pieces = whole.match(new RegExp(`.{1,${size}}`, "g")) ?? [];
      const { answer, given } = generate(pieces);
      assert.deepEqual((await answer).Plaintext, KEY);
      assert.ok(given.length === pieces.length && given.every(wiped));
    }
  });

  test("gives memory that is the caller's alone, and that V8 never moves", async () => {
    const { Plaintext } = await generate([whole]).answer;
    assert.equal(Plaintext?.buffer.byteLength, 32);
  });

  for (const [what, pieces] of [
    ["without a key", [`{"KeyId":"${KEY_ID}"}`]],
    ["with no body", []],
    ["with two keys", [`{"Plaintext":"${BASE64}","Plaintext":"${BASE64}"}`]],
    ["with the second key under an escaped name", [`{"Plaintext":"${BASE64}","\\u0050laintext":"${BASE64}"}`]],
    ["with an escape in the key", [`{"Plaintext":"${BASE64.replace("=", "\\u003d")}"}`]],
    ["with an empty key", ['{"Plaintext":""}']],
    ["with a key that is null", ['{"Plaintext":null}']],
    ["with a key that lacks padding", [`{"Plaintext":"${BASE64.replace("=", "")}"}`]],
    ["with a key that has a trailing bit", [`{"Plaintext":"${BASE64.replace(/.=$/, "Z=")}"}`]],
    ["with a key in base64 for URLs", ['{"Plaintext":"_-8="}']],
    ["cut in half", [whole.slice(0, whole.length / 2)]],
    ["that is not JSON elsewhere", [`{"KeyId":nul,"Plaintext":"${BASE64}"}`]],
    ["with bytes after the end", [`${whole}x`]],
  ] as const) {
    test(`${what} is refused as one that is not JSON is`, async () => {
      const { answer, given } = generate(pieces);
      await assert.rejects(answer, (error: Error) => {
        assert.ok(error instanceof SyntaxError && !error.message.includes(BASE64.slice(0, 8)), String(error));
        assert.equal(failureKind(error), "server-error");
        return true;
      });
      assert.ok(given.every(wiped));
    });
  }

  test("that goes on and on is given up at a limit", async () => {
    const { answer, given } = generate(Array.from({ length: 20 }, () => " ".repeat(LONGEST_ANSWER / 16)));
    await assert.rejects(answer, { name: "SyntaxError", message: /longer than 65536 bytes/ });
    assert.ok(given.slice(0, 17).every(wiped));
  });

  test("for an attested enclave is passed on as it is", async () => {
    const { client } = cannedClient([
      { pieces: [`{"KeyId":"${KEY_ID}","CiphertextBlob":"YWJj","CiphertextForRecipient":"ZGVm"}`] },
    ]);
    const Recipient = {
      KeyEncryptionAlgorithm: "RSAES_OAEP_SHA_256" as const,
      AttestationDocument: Buffer.from("document"),
    };
    const output = await client.generateDataKey({ KeyId: KEY_ID, NumberOfBytes: 32, Recipient });
    assert.deepEqual([output.Plaintext, output.CiphertextForRecipient], [undefined, new Uint8Array([100, 101, 102])]);
  });

  test("a body that breaks off rejects with the stream's own error", async () => {
    const body = new PassThrough();
    const reset = Object.assign(new Error("aborted"), { code: "ECONNRESET" });
    const client = keysAsBytes(
      new KMS({
        region: "eu-west-1",
        credentials: { accessKeyId: "AKIDEXAMPLE", secretAccessKey: "secret" },
        maxAttempts: 1,
        requestHandler: { handle: async () => ({ response: { statusCode: 200, headers: {}, body } }) } as never,
      }),
    );
    const call = client.decrypt({ CiphertextBlob: Buffer.from("x") });
    body.write(whole.slice(0, 40));
    setImmediate(() => body.destroy(reset));
    await assert.rejects(call, (error) => error === reset && failureKind(error) === "refused");
  });
});

describe("a request with a key", () => {
  const answered = { pieces: [`{"CiphertextBlob":"YWJj","KeyId":"${KEY_ID}"}`] };
  const input = { KeyId: KEY_ID, EncryptionContext: { b: 'ü"\\', a: "1" }, GrantTokens: ["g"] };

  test("says what the SDK's own would say, is signed as it is, and is wiped", async () => {
    const { client, sent } = cannedClient([answered]);
    const { CiphertextBlob } = await client.encrypt({ ...input, Plaintext: KEY });
    assert.deepEqual(CiphertextBlob, new Uint8Array([97, 98, 99]));
    assert.equal(sent.length, 1);
    for (const { copy, headers, body } of sent) {
      assert.deepEqual(JSON.parse(copy), { ...input, Plaintext: BASE64 });
      assert.equal(headers["content-length"], String(Buffer.byteLength(copy)));
      assert.equal(headers["x-amz-content-sha256"], createHash("sha256").update(copy).digest("hex"));
      assert.ok(wiped(body));
    }
  });

  test("leaves the caller's key and input as they are", async () => {
    const { client } = cannedClient([answered]);
    const theirs = Object.freeze({ ...input, Plaintext: Buffer.from(KEY) });
    await client.encrypt(theirs);
    assert.deepEqual(theirs.Plaintext, KEY);
  });

  test("goes out whole at each attempt, and is wiped when the last one has failed", async () => {
    const failing = { status: 500, pieces: ['{"__type":"KMSInternalException"}'] };
    const { client, sent } = cannedClient([failing, failing, answered], 3);
    await client.encrypt({ ...input, Plaintext: KEY });
    assert.equal(sent.length, 3);
    assert.deepEqual(
      new Set(sent.map(({ copy }) => (JSON.parse(copy) as { readonly Plaintext: string }).Plaintext)),
      new Set([BASE64]),
    );

    const lost = cannedClient([failing], 1);
    await assert.rejects(lost.client.encrypt({ ...input, Plaintext: KEY }), { name: "KMSInternalException" });
    assert.ok(lost.sent.every(({ body }) => wiped(body)));
  });
});

describe("what has nothing to do with keys", () => {
  test("errors are the SDK's own", async () => {
    const { client } = cannedClient([{ status: 400, pieces: ['{"__type":"InvalidCiphertextException"}'] }]);
    await assert.rejects(client.decrypt({ CiphertextBlob: Buffer.from("x") }), {
      name: "InvalidCiphertextException",
      $fault: "client",
    });
  });

  test("an answer after failed attempts has its key", async () => {
    const { client } = cannedClient(
      [{ status: 500, pieces: ['{"__type":"KMSInternalException"}'] }, { pieces: [`{"Plaintext":"${BASE64}"}`] }],
      2,
    );
    assert.deepEqual((await client.decrypt({ CiphertextBlob: Buffer.from("x") })).Plaintext, KEY);
  });

  test("other operations pass", async () => {
    const { client, sent } = cannedClient([{ pieces: [`{"KeyMetadata":{"KeyId":"1","Arn":"${KEY_ID}"}}`] }]);
    assert.equal((await client.describeKey({ KeyId: KEY_ID })).KeyMetadata?.Arn, KEY_ID);
    assert.deepEqual(JSON.parse(sent[0]?.copy ?? ""), { KeyId: KEY_ID });
  });
});

describe("against the project's KMS, beside a client as it comes", () => {
  test("both read what the other wrote, for every operation that carries a key", async () => {
    const kms = await runningKms("eu-west-1");
    const plain = new KMS({ ...kms.connection("eu-west-1"), maxAttempts: 1 });
    const client = keysAsBytes(
      keysAsBytes(new KMS({ ...kms.connection("eu-west-1"), maxAttempts: 1, requestHandler: { ...wipingAgents() } })),
    );
    const KeyId = await createKey(plain);
    const EncryptionContext = { id: "42" };
    for (const NumberOfBytes of [1, 2, 3, 32, 1024]) {
      const generated = await client.generateDataKey({ KeyId, NumberOfBytes, EncryptionContext });
      assert.equal(generated.Plaintext?.length, NumberOfBytes);
      const Plaintext = Buffer.from(generated.Plaintext);
      const wrapped = await client.encrypt({ KeyId, Plaintext, EncryptionContext });
      for (const CiphertextBlob of [generated.CiphertextBlob, wrapped.CiphertextBlob]) {
        for (const reader of [plain, client]) {
          const opened = await reader.decrypt({ CiphertextBlob, EncryptionContext });
          assert.deepEqual(Buffer.from(opened.Plaintext ?? []), Plaintext);
        }
      }
      await assert.rejects(
        client.decrypt({ CiphertextBlob: wrapped.CiphertextBlob, EncryptionContext: { id: "43" } }),
        { name: "InvalidCiphertextException" },
      );
    }

    const pair = await client.generateDataKeyPair({ KeyId, KeyPairSpec: "ECC_NIST_P256" });
    const privateKey = createPrivateKey({
      key: Buffer.from(pair.PrivateKeyPlaintext ?? []),
      format: "der",
      type: "pkcs8",
    });
    assert.deepEqual(
      createPublicKey(privateKey).export({ format: "der", type: "spki" }),
      Buffer.from(pair.PublicKey ?? []),
    );

    assert.equal((await client.generateRandom({ NumberOfBytes: 100 })).Plaintext?.length, 100);

    const agreement = await createKey(plain, { KeySpec: "ECC_NIST_P256", KeyUsage: "KEY_AGREEMENT" });
    const request = { KeyId: agreement, KeyAgreementAlgorithm: "ECDH" as const, PublicKey: pair.PublicKey };
    const shared = await Promise.all(
      [plain, client].map(async (each) => (await each.deriveSharedSecret(request)).SharedSecret),
    );
    assert.deepEqual(Buffer.from(shared[0] ?? []), shared[1]);
    client.destroy();
    plain.destroy();

    const bare = keysAsBytes(new KMSClient(kms.connection("eu-west-1")));
    assert.equal((await bare.send(new GenerateDataKeyCommand({ KeyId, NumberOfBytes: 16 }))).Plaintext?.length, 16);
    bare.destroy();
  });
});
