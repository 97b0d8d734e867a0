// By what a KMS is known before anything is sent to it.
import assert from "node:assert/strict";
import { once } from "node:events";
import { chmod, readFile, rm, writeFile } from "node:fs/promises";
import { createServer as createHttpServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { createServer as createTlsServer } from "node:tls";
import { createKms, type Kms } from "@strongroom/kms";
import { kmsClient, type KmsRegion } from "../../src/installation/keyring.ts";
import { runCommand } from "../support/command.ts";
import { temporaryFolder } from "../support/installation.ts";

const REGION = "eu-west-1";
/** A configuration that is only found would have to be trusted. */
const named = ["--config", "strongroom.config.json"];
type Folder = Awaited<ReturnType<typeof temporaryFolder>>;

/** Variables for the time of a call. */
async function withVariables<T>(variables: Readonly<Record<string, string>>, call: () => Promise<T>): Promise<T> {
  const before = Object.fromEntries(Object.keys(variables).map((name) => [name, process.env[name]]));
  Object.assign(process.env, variables);
  try {
    return await call();
  } finally {
    for (const [name, value] of Object.entries(before))
      if (value === undefined) Reflect.deleteProperty(process.env, name);
      else process.env[name] = value;
  }
}

describe("a KMS over TLS", () => {
  let folder: Folder;
  let kms: Kms;
  let place: KmsRegion;
  let KeyId: string;

  const serve = (): Promise<Kms> =>
    createKms({
      dataDir: join(folder.path, "kms"),
      regions: [{ name: REGION, port: 0 }],
      tls: { kind: "own" },
      strongroomUsers: "made",
    });

  before(async () => {
    folder = await temporaryFolder();
    kms = await serve();
    place = { region: REGION, endpoint: kms.endpoints[REGION], credentialsFile: join(kms.dataDir, "credentials.json") };
    const client = await kmsClient({ ...place, tlsFingerprint: kms.tls?.fingerprint });
    KeyId = (await client.createKey({})).KeyMetadata?.Arn ?? "";
    client.destroy();
  });
  after(async () => {
    await kms.close();
    await folder[Symbol.asyncDispose]();
  });

  /** Sends a data key in plaintext, as the service does. */
  async function wrap(region: KmsRegion): Promise<number> {
    const client = await kmsClient(region);
    try {
      const { CiphertextBlob } = await client.encrypt({ KeyId, Plaintext: Buffer.alloc(32, 7) });
      return CiphertextBlob?.length ?? 0;
    } finally {
      client.destroy();
    }
  }

  it("is taken by its fingerprint in any form, call after call, and after it started again with the same", async () => {
    const fingerprint = kms.tls?.fingerprint ?? "";
    const plain = fingerprint.replaceAll(":", "").toLowerCase();
    for (const tlsFingerprint of [fingerprint, plain, `sha256:${plain}`, `SHA256 Fingerprint=${fingerprint}`])
      assert.ok((await wrap({ ...place, tlsFingerprint })) > 0);
    const client = await kmsClient({ ...place, tlsFingerprint: fingerprint });
    for (let call = 0; call < 3; call++) {
      client.config.requestHandler.destroy?.();
      await client.describeKey({ KeyId });
    }
    await kms.close();
    kms = await serve();
    place = { ...place, endpoint: kms.endpoints[REGION] };
    assert.equal(kms.tls?.fingerprint, fingerprint);
    assert.ok((await wrap({ ...place, tlsFingerprint: fingerprint })) > 0);
  });

  it("is taken by its authority's file", async () => {
    assert.ok((await wrap({ ...place, caFile: kms.tls?.certificateFile })) > 0);
  });

  it("is not asked where its authority's file names nobody, or where others may change it", async () => {
    const caFile = join(folder.path, "authorities.pem");
    const refused = { code: "input-unreadable", detail: /no certificate in it that can be read/ };
    // Node takes an empty list of authorities for none, and then believes all the public ones.
    for (const text of ["", "\n", "authorities", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"]) {
      await writeFile(caFile, text);
      await assert.rejects(kmsClient({ ...place, caFile }), refused, text);
    }
    await writeFile(caFile, await readFile(kms.tls?.certificateFile ?? ""));
    assert.ok((await wrap({ ...place, caFile })) > 0);
    await chmod(caFile, 0o666);
    await assert.rejects(kmsClient({ ...place, caFile }), { code: "file-permissions" });
  });

  it("is refused without either, whatever the environment says", async () => {
    await withVariables({ NODE_TLS_REJECT_UNAUTHORIZED: "0" }, () =>
      assert.rejects(wrap(place), { code: "DEPTH_ZERO_SELF_SIGNED_CERT" }),
    );
  });

  it("with another certificate is sent nothing at all", async () => {
    const other = await createKms({ dataDir: join(folder.path, "other"), tls: { kind: "own" } });
    await other.close();
    const [cert, key] = await Promise.all(
      ["tls-certificate.pem", "tls-key.pem"].map((name) => readFile(join(other.dataDir, name), "utf8")),
    );
    const heard: Buffer[] = [];
    const impostor = createTlsServer({ cert: cert ?? "", key: key ?? "" }, (socket) => {
      socket.on("data", (piece: Buffer) => heard.push(piece)).on("error", () => undefined);
    }).listen(0, "127.0.0.1");
    impostor.on("tlsClientError", () => undefined);
    await once(impostor, "listening");
    const at = { ...place, endpoint: `https://127.0.0.1:${(impostor.address() as AddressInfo).port}` };
    try {
      await assert.rejects(wrap({ ...at, tlsFingerprint: kms.tls?.fingerprint }), { code: "certificate-not-pinned" });
      await assert.rejects(wrap({ ...at, caFile: kms.tls?.certificateFile }));
      await assert.rejects(wrap(at));
      assert.equal(heard.length, 0);
      // It would have been heard.
      await assert.rejects(
        Promise.race([
          wrap({ ...at, tlsFingerprint: other.tls?.fingerprint }),
          new Promise((_resolve, reject) => setTimeout(reject, 1000, new Error("sent"))),
        ]),
      );
      assert.match(Buffer.concat(heard).toString(), /TrentService\.Encrypt/);
    } finally {
      impostor.close();
    }
  });

  it("whose key is lost does not start with another certificate, which nobody has pinned", async () => {
    const dataDir = join(folder.path, "lost");
    const first = await createKms({ dataDir, tls: { kind: "own" } });
    await first.close();
    await rm(join(dataDir, "tls-key.pem"));
    await assert.rejects(createKms({ dataDir, tls: { kind: "own" } }), { code: "tls-unusable" });
    // What a first start left that was cut off before the certificate was there is made anew.
    await rm(join(dataDir, "tls-certificate.pem"));
    const again = await createKms({ dataDir, tls: { kind: "own" } });
    assert.notEqual(again.tls?.fingerprint, first.tls?.fingerprint);
    await again.close();
  });
});

describe("a KMS over plain HTTP", () => {
  const endpoints = [
    "http://127.0.0.1:8201",
    "HTTP://127.0.0.1:8201",
    "http://localhost:8201",
    "http://[::1]:8201",
    "http://kms.example",
    "http://10.0.0.5:8201",
  ];

  it("is refused wherever it is, loopback too", async () => {
    for (const endpoint of endpoints) {
      await assert.rejects(kmsClient({ region: REGION, endpoint }), { code: "kms-unauthenticated" }, endpoint);
      (await kmsClient({ region: REGION, endpoint, allowUnauthenticated: true })).destroy();
    }
  });

  it("is refused where the environment or a file of the AWS SDK names it", async () => {
    await using folder = await temporaryFolder();
    let requests = 0;
    const server = createHttpServer((_request, response) => {
      requests += 1;
      response.end("{}");
    }).listen(0, "127.0.0.1");
    await once(server, "listening");
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    for (const name of ["AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_KMS"])
      await withVariables({ [name]: url }, () =>
        assert.rejects(kmsClient({ region: REGION }), { code: "kms-unauthenticated" }),
      );
    const file = join(folder.path, "config");
    await writeFile(file, `[default]\nendpoint_url = ${url}\n`);
    const keys = { AWS_ACCESS_KEY_ID: "AKIATEST", AWS_SECRET_ACCESS_KEY: "test" };
    await withVariables({ AWS_CONFIG_FILE: file, ...keys }, async () => {
      const client = await kmsClient({ region: REGION });
      await assert.rejects(client.describeKey({ KeyId: "x" }), { code: "kms-unauthenticated" });
      client.destroy();
    });
    assert.equal(requests, 0);
    server.close();
  });

  it("is refused by serve, which names every such region and the way out; and is a failure to the doctor", async () => {
    await using folder = await temporaryFolder();
    const keyArn = (region: string): string => `arn:aws:kms:${region}:000000000000:key/${"0".repeat(8)}`;
    const regions = [
      { region: "eu-west-1", keyArn: keyArn("eu-west-1"), endpoint: "http://127.0.0.1:1" },
      { region: "eu-west-2", keyArn: keyArn("eu-west-2"), endpoint: "https://kms.example" },
      { region: "eu-central-1", keyArn: keyArn("eu-central-1"), endpoint: "http://kms.example" },
    ];
    const file = join(folder.path, "strongroom.config.json");
    await writeFile(file, JSON.stringify({ keys: { regions }, service: { port: 0 } }));
    const serve = await runCommand(["serve", "--json", ...named], { cwd: folder.path });
    assert.equal(serve.code, 2);
    const { error } = JSON.parse(serve.stderr) as { error: { code: string; problems: string[]; remedy: string } };
    assert.equal(error.code, "kms-unauthenticated");
    assert.deepEqual(error.problems, ["eu-west-1: http://127.0.0.1:1", "eu-central-1: http://kms.example"]);
    assert.match(error.remedy, /allowUnauthenticatedKms/);
    const doctor = await runCommand(["doctor", "--json", ...named], { cwd: folder.path });
    const doctorRows = JSON.parse(doctor.stdout) as { findings: { what: string; detail: string }[] };
    const { findings } = doctorRows;
    assert.match(findings.find(({ what }) => what === "Region eu-west-1")?.detail ?? "", /would be taken for it/);
    // Where it is allowed the doctor goes on saying what it means.
    await writeFile(file, JSON.stringify({ keys: { regions, allowUnauthenticatedKms: true } }));
    const allowed = await runCommand(["doctor", "--json", ...named], { cwd: folder.path });
    assert.deepEqual(
      (JSON.parse(allowed.stdout) as typeof doctorRows).findings
        .map(({ what }) => what)
        .filter((what) => what.includes("Plain")),
      ["Plain HTTP (eu-west-1)", "Plain HTTP (eu-central-1)"],
    );
  });

  it("has no fingerprint and no authority: the configuration says so, and one that is none is named", async () => {
    await using folder = await temporaryFolder();
    const file = join(folder.path, "strongroom.config.json");
    const problemsOf = async (more: object): Promise<string> => {
      await writeFile(file, JSON.stringify({ keys: { regions: [{ region: "eu-west-1", ...more }], minimum: 1 } }));
      return (await runCommand(["doctor", ...named], { cwd: folder.path })).stderr;
    };
    const tlsFingerprint = "ab".repeat(32);
    assert.match(await problemsOf({ tlsFingerprint }), /tlsFingerprint .*: needs an https:\/\/ endpoint/);
    assert.match(await problemsOf({ endpoint: "http://x", caFile: "f" }), /caFile .*: needs an https:\/\/ endpoint/);
    assert.match(
      await problemsOf({ endpoint: "https://x", tlsFingerprint: "abc" }),
      /tlsFingerprint .*: must be a SHA-256 fingerprint/,
    );
    assert.match(
      await problemsOf({ endpoint: "https://x", tlsFingerprint, caFile: "f" }),
      /caFile .*: is of no use beside tlsFingerprint/,
    );
  });
});
