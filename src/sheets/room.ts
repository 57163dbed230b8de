/** Room for so many entries in an LRUCache that takes memory as it fills: with `max` it takes all of it when it is made, 24 bytes an entry in every worker. */
export const atMost = (entries: number): { readonly maxSize: number; readonly sizeCalculation: () => number } => ({
  maxSize: entries,
  sizeCalculation: () => 1,
});
