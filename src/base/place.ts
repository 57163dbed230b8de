/**
 * Where this package stands on the disk: the same answer when `src` runs as it is and when `dist` runs, whose modules the build has joined
 * into few (ADR 25). There `import.meta.url` names a part that the bundler made up, so that no other module may ask for its own place.
 */
import { fileURLToPath } from "node:url";

const [TREE, ENDING] = import.meta.url.endsWith(".ts") ? (["src", ".ts"] as const) : (["dist", ".js"] as const);
const PACKAGE = new URL(import.meta.url.slice(0, import.meta.url.lastIndexOf(`/${TREE}/`) + 1));

/** What runs was built; else the sources run as they are. */
export const isBuilt = TREE === "dist";

/** A module that a process or a thread begins with. @param name its path in src, without an ending. It must stand in bin/bundle.mjs. */
export const ownModule = (name: string): URL => new URL(`${TREE}/${name}${ENDING}`, PACKAGE);

/** The path of a file or folder of the package. @param name from the package's root; "": the root itself, with a slash at the end. */
export const ownPath = (name: string): string => fileURLToPath(new URL(name, PACKAGE));
