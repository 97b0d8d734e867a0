// Asherah's Rust core through its own Node binding, loaded from the platform package that ships the binary (Linux x64
// with glibc). One session, its keys cached, a static master key and a metastore in memory: nothing but the envelope is
// measured.

import { createRequire } from "node:module";

import { work, type Contender, type Task } from "../harness/contender.ts";
import { assertPayload, inTurn, payloadOf, several } from "../harness/payload.ts";

const PACKAGE = "asherah-linux-x64-gnu";

interface Session {
  encrypt(data: Buffer): string;
  decrypt(record: string): Buffer;
}

interface Binding {
  readonly SessionFactory: new (config: Readonly<Record<string, string | boolean>>) => {
    getSession(partition: string): Session;
  };
}

const { SessionFactory } = createRequire(import.meta.url)(PACKAGE) as Binding;

function openSession(): Session {
  const factory = new SessionFactory({
    serviceName: "bench",
    productId: "strongroom",
    metastore: "memory",
    kms: "static",
    // A key of the bench's own: without it the binding falls back to a published test key.
    staticMasterKeyHex: "5a".repeat(32),
    enableSessionCaching: true,
  });
  return factory.getSession("4711");
}

function sealing(task: Task) {
  const session = openSession();
  const payload = payloadOf(task.payloadBytes);
  return work({
    run: () => session.encrypt(payload),
    verify: (record: string) => {
      assertPayload(session.decrypt(record), payload);
    },
  });
}

const opening = (messages: "different" | "the-same") => async (task: Task) => {
  const session = openSession();
  const payload = payloadOf(task.payloadBytes);
  const next = inTurn(
    await several(messages === "different" ? task.distinctMessages : 1, () => session.encrypt(payload)),
  );
  return work({
    run: () => session.decrypt(next()),
    verify: (plaintext: Buffer) => {
      assertPayload(plaintext, payload);
    },
  });
};

const contender: Contender = {
  title: "Asherah (Rust core)",
  packageName: PACKAGE,
  works: {
    "encrypt-1k": sealing,
    "decrypt-1k": opening("different"),
    "hot-decrypt-1k": opening("the-same"),
  },
};
export default contender;
