/**
 * Every exit code of every drover process. 64, 69, 70, 75 and 78 are sysexits(3); 3 and 4 are Gunicorn's.
 * docs/ERRORS.md is generated from this table; the unit's RestartPreventExitStatus names the rows marked `final`.
 */
export const EXIT = {
  done: { code: 0, means: "done, or stopped as asked", final: false },
  rolledBack: {
    code: 1,
    means:
      "a reload was refused or rolled back, a drill failed, a plan does not hold or its prediction failed, the checklist has open items, or not all the writes that were named could be dealt with",
    final: false,
  },
  bootFailed: { code: 3, means: "a worker, or the first boot of all of them, failed to start", final: false },
  loadFailed: {
    code: 4,
    means: "the application could not be loaded; of a load run: a step says nothing, such as with a saturated generator",
    final: false,
  },
  usage: { code: 64, means: "the command line makes no sense", final: true },
  noDaemon: { code: 69, means: "no daemon answers there, or not the target of a load run", final: false },
  bug: { code: 70, means: "a fault of drover itself", final: false },
  temporary: { code: 75, means: "the port is taken, or something else that may pass", final: false },
  settings: { code: 78, means: "a setting is wrong or missing", final: true },
  thresholds: { code: 99, means: "a load run crossed a threshold", final: false },
  interrupted: { code: 105, means: "a load run was interrupted: its report is a part", final: false },
} as const satisfies Record<string, { code: number; means: string; final: boolean }>;

export type ExitName = keyof typeof EXIT;
export type ExitCode = (typeof EXIT)[ExitName]["code"];
