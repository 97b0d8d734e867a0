/** TLS in front of plain HTTP servers on this machine, with a certificate made for the occasion. */
import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { connect } from "node:net";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { createServer } from "node:tls";
import type { Server } from "node:tls";
import { promisify } from "node:util";

export class TlsFront implements AsyncDisposable {
  /** What a client must trust, PEM. */
  readonly certificateFile: string;
  readonly #folder: string;
  readonly #servers: Server[] = [];

  private constructor(folder: string) {
    this.#folder = folder;
    this.certificateFile = join(folder, "certificate.pem");
  }

  static async start(): Promise<TlsFront> {
    const folder = await mkdtemp(join(tmpdir(), "envelope-tls-"));
    const front = new TlsFront(folder);
    const request = [
      "req",
      "-x509",
      "-newkey",
      "ec",
      "-pkeyopt",
      "ec_paramgen_curve:P-256",
      "-nodes",
      "-days",
      "2",
      "-subj",
      "/CN=127.0.0.1",
      "-addext",
      "subjectAltName=IP:127.0.0.1",
    ];
    await promisify(execFile)("openssl", [
      ...request,
      "-keyout",
      join(folder, "key.pem"),
      "-out",
      front.certificateFile,
    ]);
    return front;
  }

  /** Where `endpoint` is reached over TLS. */
  async before(endpoint: string): Promise<string> {
    const [cert, key] = await Promise.all([readFile(this.certificateFile), readFile(join(this.#folder, "key.pem"))]);
    const { hostname, port } = new URL(endpoint);
    const server = createServer({ cert, key }, (near) => {
      const far = connect(Number(port), hostname);
      // A side that breaks off ends the other.
      const ended = (): void => undefined;
      pipeline(near, far, near).catch(ended);
    });
    this.#servers.push(server);
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    return `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const server of this.#servers) server.close();
    await rm(this.#folder, { recursive: true, force: true });
  }
}
