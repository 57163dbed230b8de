/** The embedded emulator's process. */
import { compactOnceIdle } from "../base/compact.ts";
import type { EmulatorConfig } from "../tools/emulator/config.ts";
import { runEmulator } from "../tools/emulator/main.ts";
import { begin } from "./birth.ts";

const { port } = begin();
runEmulator((await port.configured).config as EmulatorConfig, port);
compactOnceIdle();
