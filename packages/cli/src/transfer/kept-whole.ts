// A file that is written whole or not at all.
import type { OutputFile } from "@strongroom/base/output-file";

/** Ends with the file in its place; where the work fails, with nothing of it left. */
export async function keptWhole(
  output: Pick<OutputFile, "commit" | "discard">,
  progress: { readonly stop: () => void },
  write: () => Promise<void>,
): Promise<void> {
  try {
    await write();
    await output.commit();
  } catch (error) {
    await output.discard();
    throw error;
  } finally {
    progress.stop();
  }
}
