import "./first.ts";
import { ownModule } from "../base/place.ts";
import { useCompiled } from "./compiled.ts";

const [command, ...words] = process.argv.slice(2);
if (command === "serve" && !words.includes("--help") && !words.includes("-h")) {
  useCompiled();
  await import(ownModule("cli/serve-main").href);
} else await import(ownModule("cli/program").href);
