/**
 * How often something is tried, or how many there are of it. `npm run test:long` runs every test file that imports this
 * one, with the second number.
 */
export function rounds(few: number, all: number): number {
  return process.env["STRONGROOM_ROUNDS"] === "all" ? all : few;
}
