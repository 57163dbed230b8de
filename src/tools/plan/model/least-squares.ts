/** Least squares by the normal equations: few unknowns, and as many rows as a load run has steps. */

/**
 * The x for which the sum of (row · x − wanted)² over all rows is least. @param wanted one for each row.
 * @returns undefined when the rows can't tell the unknowns apart.
 */
export function leastSquares(
  rows: readonly (readonly number[])[],
  wanted: readonly number[],
): number[] | undefined {
  const columns = Array.from({ length: rows[0]?.length ?? 0 }, (_, i) =>
    rows.map((row) => row[i] ?? 0),
  );
  // Columns differ by many powers of ten: scaled to the same length, the system keeps its digits.
  const scaled = columns.map((column) => ({ length: Math.hypot(...column), column }));
  if (scaled.length === 0 || scaled.some(({ length }) => !(length > 0))) return undefined;
  const unit = scaled.map(({ length, column }) => column.map((cell) => cell / length));
  const dot = (a: readonly number[], b: readonly number[]): number =>
    a.reduce((sum, cell, i) => sum + cell * (b[i] ?? 0), 0);
  const solved = eliminate(
    unit.map((column) => [...unit.map((other) => dot(column, other)), dot(column, wanted)]),
  );
  return solved?.map((value, i) => value / (scaled[i]?.length ?? 1));
}

/** Below this a pivot is rounding. */
const NOTHING = 1e-12;

/** Gauss with pivots. */
function eliminate(matrix: number[][]): number[] | undefined {
  const size = matrix.length;
  for (let col = 0; col < size; col += 1) {
    const pivot = matrix
      .slice(col)
      .reduce((best, row) => (Math.abs(row[col] ?? 0) > Math.abs(best[col] ?? 0) ? row : best));
    if (Math.abs(pivot[col] ?? 0) < NOTHING) return undefined;
    matrix.splice(matrix.indexOf(pivot), 1);
    matrix.splice(col, 0, pivot);
    for (const row of matrix) {
      if (row === pivot) continue;
      const factor = (row[col] ?? 0) / (pivot[col] ?? 1);
      for (let i = col; i <= size; i += 1) row[i] = (row[i] ?? 0) - factor * (pivot[i] ?? 0);
    }
  }
  return matrix.map((row, i) => (row[size] ?? 0) / (row[i] ?? 1));
}
