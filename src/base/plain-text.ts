/** A file of somebody's, as editors leave it. */
import { DroverError } from "./errors.ts";

/**
 * Without the mark that Windows puts before UTF-8. @param text as UTF-8 reads it. @param file its name, for errors.
 * @throws DroverError DROVER_E_USAGE for UTF-16, which PowerShell's `>` writes: read as UTF-8 it is full of zeros.
 */
export function plainText(text: string, file: string): string {
  if (text.includes("\0")) throw new DroverError("DROVER_E_USAGE", `${file} is UTF-16 or no text at all: expected UTF-8`);
  return text.replace(/^\uFEFF/, "");
}
