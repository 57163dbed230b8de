/** The master died before this child was wrapped: nobody would ever tell it to go. */
export function endWithoutMaster(masterPid: number): void {
  if (process.ppid !== masterPid) process.exit(0);
}
