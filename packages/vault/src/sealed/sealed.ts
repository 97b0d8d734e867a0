/**
 * A value that does not get out by accident: it prints as `[sealed]`, wherever it is printed, and is given by `expose`
 * and `use` alone. It stops accidents, not debuggers: the value is in the memory of the process.
 */
import { inspect } from "node:util";

/** In the place of the value. */
const SHOWN = "[sealed]";

/**
 * A value that refuses to be printed, logged, copied and serialised.
 *
 * @example
 * ```ts
 * import { Sealed } from "@strongroom/vault";
 *
 * const email = new Sealed("ada@example.com");
 * console.log(`${email}`, JSON.stringify({ email })); // prints: [sealed] {"email":"[sealed]"}
 * console.log(email.use((text) => text.endsWith("@example.com"))); // prints: true
 * console.log(email.expose()); // prints: ada@example.com
 * ```
 */
export class Sealed<T> {
  readonly #value: T;
  readonly [Symbol.toStringTag] = "Sealed";

  constructor(value: T) {
    this.#value = value;
    // An own member that gives nothing out: whoever copies members (a spread, structuredClone, a message to another
    // thread) is told that it was refused, and has no empty object in the place of the value.
    Object.defineProperty(this, "sealed", { enumerable: true, get: refuse });
    Object.freeze(this);
  }

  /** The value. */
  expose(): T {
    return this.#value;
  }

  /** What a function makes of the value. */
  use<Result>(make: (value: T) => Result): Result {
    return make(this.#value);
  }

  toString(): string {
    return SHOWN;
  }

  toJSON(): string {
    return SHOWN;
  }

  [Symbol.toPrimitive](): string {
    return SHOWN;
  }

  static {
    // Declarations of a package cannot name the symbol of a module of Node.
    Object.defineProperty(Sealed.prototype, inspect.custom, { value: () => SHOWN });
  }
}

function refuse(): never {
  throw new TypeError("A sealed value is not copied: expose() gives it, and use() hands it to a function");
}
