// A witness of c2sp.org/tlog-witness for tests: it verifies signature and consistency, and cosigns.

import { generateKeyPairSync } from "node:crypto";
import { createServer } from "node:http";
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import type { TestContext } from "node:test";
import { parseCheckpoint } from "@strongroom/tlog/checkpoint";
import type { Checkpoint } from "@strongroom/tlog/checkpoint";
import { parseVkey, signerOf } from "@strongroom/tlog/keys";
import { formatSignature, openNote, parseNote } from "@strongroom/tlog/note";
import { provesConsistency } from "@strongroom/tlog/proof";

export interface C2spWitness {
  readonly url: string;
  readonly vkey: string;
  /** Origin -> what it cosigned last. */
  readonly seen: Map<string, Checkpoint>;
  /** The logs that it knows, by verifier key. */
  readonly logs: string[];
  /** Answers every request so instead, while it is set. */
  answer: ((old: number) => { status: number; body: string } | "hang") | null;
}

/** Starts a witness that knows no log yet. */
export async function c2spWitness(t: TestContext): Promise<C2spWitness> {
  const signer = signerOf("witness.example/w1", "ed25519-cosignature", generateKeyPairSync("ed25519").privateKey);
  const witness: C2spWitness = { url: "", vkey: signer.vkey, seen: new Map(), logs: [], answer: null };
  const decide = (body: string): { status: number; body: string } => {
    const [head = "", ...rest] = body.split("\n\n");
    const [oldLine = "", ...proof] = head.split("\n");
    const note = rest.join("\n\n");
    const claimed = parseCheckpoint(parseNote(note).text);
    const known = witness.logs.map((vkey) => parseVkey(vkey)).filter(({ name }) => name === claimed.origin);
    if (known.length === 0) return { status: 404, body: "" };
    const { text } = openNote(note, known);
    const old = Number(oldLine.replace("old ", ""));
    const last = witness.seen.get(claimed.origin);
    if (old > claimed.size) return { status: 400, body: "" };
    if (old !== (last?.size ?? 0)) return { status: 409, body: `${last?.size ?? 0}\n` };
    const hashes = proof.map((line) => Buffer.from(line, "base64"));
    const consistent =
      last === undefined ||
      provesConsistency(hashes, { oldSize: last.size, oldRoot: last.root, size: claimed.size, root: claimed.root });
    if (!consistent) return { status: 422, body: "" };
    witness.seen.set(claimed.origin, claimed);
    return { status: 200, body: formatSignature(signer, signer.sign(text)) };
  };
  const server: Server = createServer((request, response) => {
    let body = "";
    request.setEncoding("utf8").on("data", (part: string) => {
      body += part;
    });
    request.on("end", () => {
      const answer = witness.answer?.(Number(/^old (\d+)/.exec(body)?.[1])) ?? decide(body);
      if (answer === "hang") return;
      response.writeHead(request.url === "/prefix/add-checkpoint" ? answer.status : 500).end(answer.body);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return Object.assign(witness, { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/prefix/` });
}
