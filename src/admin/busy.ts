/** The machine is busy above these shares: it needs more cores, or more memory, for more people. */
export const BUSY = { cpu: 0.7, memory: 0.8 } as const;
