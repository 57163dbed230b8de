// Runs in a thread beside the event loop: it may compute for as long as it likes.
interface Player {
  readonly name: string | null;
  readonly score: number | null;
}

export default (players: readonly Player[]): string[] =>
  players.toSorted((a, b) => (b.score ?? 0) - (a.score ?? 0)).map(({ name, score }) => `${name ?? "?"} ${score ?? 0}`);
