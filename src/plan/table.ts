/** Columns of text, aligned; the last one trails. */
export function table(lines: readonly (readonly string[])[]): string {
  const widths = lines.reduce<number[]>((w, cells) => cells.map((cell, i) => Math.max(w[i] ?? 0, cell.length)), []);
  return lines
    .map(
      (cells) =>
        `${cells
          .map((cell, i) => cell.padEnd(widths[i] ?? 0))
          .join("  ")
          .trimEnd()}\n`,
    )
    .join("");
}
