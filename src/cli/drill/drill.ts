/** What every drill is given, and the table of them. */
import type { Person } from "../../load/traffic.ts";
import type { Load } from "./load.ts";
import type { Reporter } from "./report.ts";
import type { Service } from "./service.ts";
import type { Undo } from "./undo.ts";

export interface Scene {
  readonly service: Service;
  readonly report: Reporter;
  readonly undo: Undo;
  /** Who may log in; undefined: nobody was named, and it is no demo. */
  readonly people: readonly Person[] | undefined;
  /** Begins to read at the drill's rate; it is ended with the drill. */
  load(): Promise<Load>;
}

export interface Drill {
  readonly name: string;
  readonly shows: string;
  run(scene: Scene): Promise<void>;
}

export const time = (millis: number): string => `${(millis / 1_000).toFixed(1)} s`;
