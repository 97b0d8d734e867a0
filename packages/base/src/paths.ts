/**
 * @strongroom/base/paths: where a path leads, links resolved, also while nothing is there yet; and whether that is in a
 * folder.
 */
import { readlinkSync, realpathSync } from "node:fs";
import { basename, dirname, isAbsolute, join, relative, resolve, sep } from "node:path";

/** A path is so many links long at most, as with Linux. */
const MOST_LINKS = 40;

/** The place that a path leads to, absolute: what is written there is in none of the links on the way. */
export function endOf(path: string): string {
  let at = resolve(path);
  for (let links = 0; links < MOST_LINKS; links++) {
    const target = linkAt(at);
    if (target === null) break;
    at = resolve(dirname(at), target);
  }
  return join(realOf(dirname(at)), basename(at));
}

/** Whether a path leads into a folder, or to it. */
export function liesIn(path: string, folder: string): boolean {
  const inside = relative(realOf(resolve(folder)), endOf(path));
  return inside.split(sep)[0] !== ".." && !isAbsolute(inside);
}

function linkAt(path: string): string | null {
  try {
    return readlinkSync(path);
  } catch {
    return null;
  }
}

/** The folder without links in its path; what of it is not there yet, as it is named. */
function realOf(folder: string): string {
  try {
    return realpathSync(folder);
  } catch {
    const above = dirname(folder);
    return above === folder ? folder : join(realOf(above), basename(folder));
  }
}
