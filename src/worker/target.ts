/** A request target without its query, which may hold what must not be logged. */
export function pathOf(target: string | undefined): string {
  const cut = target?.indexOf("?") ?? -1;
  return (cut < 0 ? target : target?.slice(0, cut)) ?? "";
}
