/**
 * Undoing at the end of a test in the reverse order of doing. The runner's own `after` goes first to last, which would
 * remove a folder before what uses it is closed.
 */
import type { TestContext } from "node:test";

const stacks = new WeakMap<TestContext, AsyncDisposableStack>();

/**
 * Runs `undo` when the test has ended, before everything that was deferred earlier; a failure does not stop the others.
 */
export function defer(t: TestContext, undo: () => unknown): void {
  let stack = stacks.get(t);
  if (stack === undefined) {
    const created = new AsyncDisposableStack();
    stacks.set(t, created);
    t.after(() => created.disposeAsync());
    stack = created;
  }
  stack.defer(async () => {
    await undo();
  });
}
