/** The daemon alone, without the other commands: `drover serve`. */
import { runToEnd } from "./run.ts";
import { serve } from "./serve.ts";

await runToEnd(() => serve(process.argv.slice(3)));
