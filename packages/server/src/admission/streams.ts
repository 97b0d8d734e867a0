/**
 * Answers that go on: how many there may be, in all and for one token. They take no place of those that work, because
 * they last for hours and do nothing.
 */
import { ServerError } from "../errors.ts";
import type { ServerLimits } from "../limits.ts";

export class Streams {
  readonly #limits: Pick<ServerLimits, "streams" | "streamsPerToken">;
  /** What ends each, and whose it is. */
  readonly #open = new Map<() => void, string>();
  #isClosing = false;

  constructor(limits: Pick<ServerLimits, "streams" | "streamsPerToken">) {
    this.#limits = limits;
  }

  get size(): number {
    return this.#open.size;
  }

  /**
   * Takes a place until the returned function is called. `end` is called when the service ends.
   *
   * @throws ServerError `overloaded`, `token-limit`
   */
  take(tokenId: string, end: () => void): () => void {
    const { streams, streamsPerToken } = this.#limits;
    if (this.#isClosing) throw new ServerError("overloaded", "The service ends; nothing was begun");
    if (this.#open.size >= streams)
      throw new ServerError("overloaded", `As many streams are open as may be (${streams}); nothing was begun`);
    const own = [...this.#open.values()].filter((other) => other === tokenId).length;
    if (own >= streamsPerToken)
      throw new ServerError("token-limit", `A token may have ${streamsPerToken} streams open; nothing was begun`);
    this.#open.set(end, tokenId);
    return () => {
      this.#open.delete(end);
    };
  }

  /** Ends all of them: the service would wait for them for ever. */
  close(): void {
    this.#isClosing = true;
    for (const end of [...this.#open.keys()]) end();
  }
}
