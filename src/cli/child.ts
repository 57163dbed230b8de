/**
 * The first module of every child that runs drover's own code: `node child.js ROLE SLOT MASTER_PID NAME`. Its role's module has what that role
 * needs and nothing else.
 */
import "./child-signals.ts";
import { ownModule } from "../base/place.ts";
import { useCompiled } from "./compiled.ts";
import { preferUnderMemoryPressure } from "./oom.ts";
import { endWithoutMaster } from "./orphan.ts";

const MODULES: Readonly<Record<string, URL>> = {
  worker: ownModule("cli/service-child"),
  broker: ownModule("cli/broker-child"),
  emulator: ownModule("cli/emulator-child"),
};

const [role = "", , masterPid] = process.argv.slice(2);
endWithoutMaster(Number(masterPid));
if (role === "worker") preferUnderMemoryPressure();
useCompiled();
const own = MODULES[role];
if (own === undefined) throw new Error(`no such role: ${role}`);
await import(own.href);
