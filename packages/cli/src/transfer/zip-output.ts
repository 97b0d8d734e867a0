// A zip that is written as its files come, none of them whole in memory (fflate).
import type { PendingFile } from "@strongroom/base/files";
import { Zip, ZipDeflate } from "fflate";

export class ZipOutput {
  readonly #output: Pick<PendingFile, "write">;
  readonly #zip: Zip;
  readonly #waiting: Uint8Array[] = [];
  #failure: Error | null = null;

  constructor(output: Pick<PendingFile, "write">) {
    this.#output = output;
    // It calls back at once, within each push.
    this.#zip = new Zip((error, chunk) => {
      if (error !== null) this.#failure = error;
      else this.#waiting.push(chunk);
    });
  }

  /** One file: `fill` writes its text. */
  async file(name: string, fill: (write: (text: string) => Promise<void>) => Promise<void>): Promise<void> {
    const entry = new ZipDeflate(name, { level: 6 });
    this.#zip.add(entry);
    await fill(async (text) => {
      entry.push(Buffer.from(text, "utf8"));
      await this.#flush();
    });
    entry.push(new Uint8Array(0), true);
    await this.#flush();
  }

  /** Writes the directory. */
  async end(): Promise<void> {
    this.#zip.end();
    await this.#flush();
  }

  async #flush(): Promise<void> {
    for (const chunk of this.#waiting.splice(0)) await this.#output.write(chunk);
    if (this.#failure !== null) throw this.#failure;
  }
}
