/**
 * The first module of every child: `node child.js ROLE SLOT MASTER_PID`. It loads what its role needs and nothing else.
 */
const [role, , masterPid] = process.argv.slice(2);
// The master died before we were wrapped: nobody would ever tell us to go.
if (process.ppid !== Number(masterPid)) process.exit(0);

if (role === "worker") (await import("./oom.ts")).preferUnderMemoryPressure();

const { bufferedPort } = await import("./child-port.ts");
const port = bufferedPort();
const { startRole } = await import("./roles.ts");
await startRole(role ?? "", port, Number(masterPid));
