import type { Settings } from "./table.ts";

/** What decides about `demo: auto`. */
export interface Start {
  /** `npm start`, or `drover serve`. */
  readonly command: "start" | "serve";
  readonly underSystemd: boolean;
  readonly container: boolean;
  /** The application path of the command line, if there is one. */
  readonly app: string | undefined;
}

/** Whether the sample workbook is served from the embedded emulator. A person's first try gets it; a service never by itself. */
export function demoIsOn(settings: Pick<Settings, "demo" | "app" | "spreadsheet_id">, start: Start): boolean {
  if (settings.demo !== "auto") return settings.demo === "on";
  if (start.underSystemd || (start.container && start.command !== "start")) return false;
  return start.app === undefined && settings.app === undefined && settings.spreadsheet_id === undefined;
}
