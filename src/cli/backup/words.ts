/** As messages about a journal say it. */
export const writesThatWait = (count: number): string => (count === 1 ? "1 write that waits" : `${count} writes that wait`);
