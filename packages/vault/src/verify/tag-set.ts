/**
 * Many address tags in little memory: eight bytes each, of the sixteen that they have. They are keyed hashes, so nobody
 * without the key makes two that agree in half of them; by chance, of ten million one in three hundred thousand sets
 * has two.
 */
import type { AddressTag } from "../stores/outbox.ts";

/** Of the places, at most so many are taken, or a search would be long. */
const FULLEST = 0.6;
const FIRST_PLACES = 1024;

export class TagSet {
  #places: BigUint64Array = new BigUint64Array(FIRST_PLACES);
  #size = 0;

  get size(): number {
    return this.#size;
  }

  add(tag: AddressTag): void {
    if (this.#size + 1 > this.#places.length * FULLEST) this.#grow();
    if (put(this.#places, halfOf(tag))) this.#size++;
  }

  has(tag: AddressTag): boolean {
    const half = halfOf(tag);
    return this.#places[placeOf(this.#places, half)] === half;
  }

  #grow(): void {
    const more = new BigUint64Array(2 * this.#places.length);
    for (const half of this.#places) if (half !== EMPTY) put(more, half);
    this.#places = more;
  }
}

const EMPTY = 0n;

/** Never the value of a place that is free. */
function halfOf(tag: AddressTag): bigint {
  const half = Buffer.from(tag, "base64url").subarray(0, 8);
  return half.length < 8 ? 1n : half.readBigUInt64BE() | 1n;
}

/** @returns whether it was not there */
function put(places: BigUint64Array, half: bigint): boolean {
  const place = placeOf(places, half);
  if (places[place] === half) return false;
  places[place] = half;
  return true;
}

/** Where a value is, or the free place where it would be. */
function placeOf(places: BigUint64Array, half: bigint): number {
  let place = Number((half >> 1n) % BigInt(places.length));
  while (places[place] !== EMPTY && places[place] !== half) place = (place + 1) % places.length;
  return place;
}
