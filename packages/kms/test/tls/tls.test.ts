// TLS on the regions' ports: the certificate that the server makes, and one that is given.

import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { readFileSync, statSync, writeFileSync } from "node:fs";
import { request } from "node:https";
import { once } from "node:events";
import { hostname } from "node:os";
import { join } from "node:path";
import { connect } from "node:tls";
import { test } from "node:test";
import { createKms } from "@strongroom/kms";
import { selfSigned } from "../../src/tls/self-signed.ts";
import { serving } from "../command/serving.ts";
import { run } from "../command/run.ts";
import { temporaryDirectory } from "../running-kms.ts";

/** The status that an address answers to one who trusts this certificate. */
function status(url: string, ca: string): Promise<number | string> {
  return new Promise((resolve) => {
    request(`${url}/healthz`, { ca, agent: false }, (answer) => {
      answer.resume();
      resolve(answer.statusCode ?? 0);
    })
      .on("error", (error: NodeJS.ErrnoException) => {
        resolve(error.code ?? error.message);
      })
      .end();
  });
}

void test("the server's own certificate: closed to others, the same at every start, good for its names", async (t) => {
  const dataDir = await temporaryDirectory(t);
  const first = await createKms({ dataDir, tls: { kind: "own" } });
  const { certificateFile = "", fingerprint = "" } = first.tls ?? {};
  const pem = readFileSync(certificateFile, "utf8");
  const certificate = new X509Certificate(pem);
  assert.equal(certificate.fingerprint256, fingerprint);
  assert.ok(certificate.verify(certificate.publicKey));
  assert.equal(certificate.ca, false);
  for (const name of ["localhost", hostname()]) assert.ok(certificate.checkHost(name), name);
  for (const address of ["127.0.0.1", "::1"]) assert.ok(certificate.checkIP(address), address);
  assert.ok(Date.parse(certificate.validTo) - Date.now() > 9 * 365 * 24 * 3600 * 1000);
  for (const name of ["tls-key.pem", "tls-certificate.pem"])
    assert.equal(statSync(join(dataDir, name)).mode & 0o777, 0o600, name);
  const url = first.endpoints["eu-west-1"] ?? "";
  assert.match(url, /^https:/);
  assert.equal(await status(url, pem), 200);
  assert.equal(await status(url.replace("127.0.0.1", "localhost"), pem), 200);
  assert.equal(await status(url, selfSigned(["localhost"]).certificate), "DEPTH_ZERO_SELF_SIGNED_CERT");
  // Plain HTTP and old TLS are not spoken there.
  await assert.rejects(fetch(url.replace("https:", "http:")));
  const old = connect({ port: Number(new URL(url).port), ca: pem, maxVersion: "TLSv1.1", minVersion: "TLSv1" });
  await assert.rejects(once(old, "secureConnect"));
  await first.close();
  const second = await createKms({ dataDir, tls: { kind: "own" } });
  assert.equal(second.tls?.fingerprint, fingerprint);
  await second.close();
});

void test("a certificate that is given, and what of it is refused", async (t) => {
  const folder = await temporaryDirectory(t);
  const file = (name: string, text: string, mode = 0o600): string => {
    writeFileSync(join(folder, name), text, { mode });
    return join(folder, name);
  };
  const [one, other] = [selfSigned(["127.0.0.1"]), selfSigned(["127.0.0.1"])];
  const [certFile, keyFile] = [file("cert.pem", one.certificate, 0o644), file("key.pem", one.privateKey)];
  await using kms = await createKms({ tls: { kind: "files", certFile, keyFile } });
  assert.equal(await status(kms.endpoints["eu-west-1"] ?? "", one.certificate), 200);
  assert.equal(kms.tls?.fingerprint, new X509Certificate(one.certificate).fingerprint256);
  for (const [files, code] of [
    [{ certFile, keyFile: file("other.pem", other.privateKey) }, "tls-unusable"],
    [{ certFile: file("no.pem", "no"), keyFile }, "tls-unusable"],
    [{ certFile, keyFile: file("no-key.pem", "SECRET") }, "tls-unusable"],
    [{ certFile: join(folder, "absent"), keyFile }, "tls-unusable"],
    [{ certFile, keyFile: join(folder, "absent") }, "tls-unusable"],
  ] as const)
    await assert.rejects(createKms({ tls: { kind: "files", ...files } }), (error: Error & { code?: string }) => {
      assert.equal(error.code, code);
      assert.ok(!error.message.includes("SECRET"));
      return true;
    });
});

void test("aws:SecureTransport tells TLS from plain HTTP and from a socket", async (t) => {
  const dataDir = await temporaryDirectory(t);
  const pair = { accessKeyId: "AKIASECURETRANSPORT", secretAccessKey: "secret-of-the-user" };
  const policy = {
    Version: "2012-10-17",
    Statement: {
      Effect: "Allow",
      Action: "kms:*",
      Resource: "*",
      Condition: { Bool: { "aws:SecureTransport": "true" } },
    },
  };
  const principals = [{ arn: "arn:aws:iam::000000000000:user/ann", policies: [policy], accessKeys: [pair] }];
  const principalsFile = join(dataDir, "principals.json");
  writeFileSync(principalsFile, JSON.stringify({ principals }), { mode: 0o600 });
  const { KMS } = await import("@aws-sdk/client-kms");
  const { Agent } = await import("node:https");
  for (const tls of [{ kind: "own" } as const, undefined]) {
    await using kms = await createKms({ dataDir, principalsFile, ...(tls && { tls }) });
    const ca = kms.tls === null ? "" : readFileSync(kms.tls.certificateFile, "utf8");
    const requestHandler = { httpsAgent: new Agent({ ca }) };
    const client = new KMS({ ...kms.clientConfig(), credentials: pair, maxAttempts: 1, requestHandler });
    if (tls === undefined) await assert.rejects(client.listKeys({}), { name: "AccessDeniedException" });
    else await client.listKeys({});
    client.destroy();
  }
});

void test("serve --tls says the fingerprint, and health asks by it", async (t) => {
  const dir = await temporaryDirectory(t);
  const kms = await serving(t, "--data-dir", dir, "--region", "eu-west-1", "--tls");
  const { fingerprint = "" } = kms.tls ?? {};
  const url = kms.endpoints["eu-west-1"] ?? "";
  const up = await run("health", url, "--tls-fingerprint", fingerprint);
  assert.equal(up.exit, 0, up.stdout);
  const wrong = await run("health", url, "--tls-fingerprint", "00".repeat(32));
  assert.equal(wrong.exit, 7);
  assert.match(wrong.stdout, /another certificate/);
  assert.equal((await run("health", url)).exit, 7);
  assert.equal((await run("health", url, "--tls-fingerprint", "no")).exit, 2);
  assert.equal(await kms.end(), 0);
  for (const args of [
    ["--tls-cert-file", "a"],
    ["--tls-key-file", "a"],
    ["--emulator", "--tls"],
  ])
    assert.equal((await run("serve", "--data-dir", dir, ...args)).exit, 2, args.join(" "));
});
