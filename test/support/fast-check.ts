/** fast-check on the seed of seed.ts; a failing property prints the seed and the path that repeat it. */
import fc from "fast-check";
import { seedOf } from "./seed.ts";

fc.configureGlobal({ seed: seedOf() });

export { fc };
