/** Lines of cells, the columns aligned; nothing trails. @param longest no column is made wider for a cell beyond it. */
export function columns(lines: readonly (readonly string[])[], longest = Infinity): string {
  const widths: number[] = [];
  for (const cells of lines) for (const [i, cell] of cells.entries()) widths[i] = Math.max(widths[i] ?? 0, Math.min(cell.length, longest));
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, i) => cell.padEnd(widths[i] ?? 0))
      .join("  ")
      .trimEnd();
  return lines.map((cells) => `${line(cells)}\n`).join("");
}
