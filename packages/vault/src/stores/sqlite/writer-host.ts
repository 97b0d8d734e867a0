/**
 * The writers of one thread, one for each open store, and the messages by which they are asked and answer.
 */
import { Writer } from "./writer.ts";
import type { WriteAnswer, WriteRequest, WriterFile, WriterPlace } from "./writer.ts";

/** What a store tells the thread. */
export type ToWriter =
  | { readonly kind: "open"; readonly store: number; readonly file: WriterFile }
  | { readonly kind: "write"; readonly store: number; readonly request: WriteRequest }
  | { readonly kind: "close"; readonly store: number };

/** What the thread tells a store. */
export type FromWriter =
  | {
      readonly kind: "answers";
      readonly store: number;
      readonly answers: readonly WriteAnswer[];
      readonly commits: number;
    }
  | { readonly kind: "closed"; readonly store: number };

export class WriterHost {
  readonly #writers = new Map<number, Writer>();
  readonly #send: (message: FromWriter) => void;
  readonly #place: Pick<WriterPlace, "takeMore" | "sleep">;

  constructor(send: (message: FromWriter) => void, place: Pick<WriterPlace, "takeMore" | "sleep">) {
    this.#send = send;
    this.#place = place;
  }

  take(message: ToWriter): void {
    const { store } = message;
    switch (message.kind) {
      case "open": {
        const answer: WriterPlace["answer"] = (answers, commits) => {
          this.#send({ kind: "answers", store, answers, commits });
        };
        this.#writers.set(store, new Writer(message.file, { ...this.#place, answer }));
        return;
      }
      case "write":
        this.#writers.get(store)?.add(message.request);
        return;
      case "close":
        void this.#close(store);
    }
  }

  async #close(store: number): Promise<void> {
    await this.#writers.get(store)?.close();
    this.#writers.delete(store);
    this.#send({ kind: "closed", store });
  }
}
