/**
 * A sample of things of which only a list is known, in little memory: those whose hash with the seed is smallest. Which
 * they are depends on the seed and on what there is, and not on the order in which it was listed.
 */
import { hash } from "node:crypto";

interface Taken<Item> {
  readonly weight: string;
  readonly item: Item;
}

export class Sample<Item> {
  readonly #size: number;
  readonly #seed: string;
  #taken: Taken<Item>[] = [];

  constructor(size: number, seed: string) {
    this.#size = size;
    this.#seed = seed;
  }

  /** @param name by which it is told from the others */
  offer(name: string, item: Item): void {
    this.#taken.push({ weight: hash("sha256", `${this.#seed}\0${name}`), item });
    if (this.#taken.length >= 2 * this.#size + 100) this.#cut();
  }

  items(): readonly Item[] {
    this.#cut();
    return this.#taken.map(({ item }) => item);
  }

  #cut(): void {
    this.#taken = this.#taken.sort((a, b) => (a.weight < b.weight ? -1 : 1)).slice(0, this.#size);
  }
}
