/**
 * node:http without what an ES module import of it costs. Such an import reads every export to bind it, also the lazy getters WebSocket,
 * CloseEvent and MessageEvent, and these load Node's whole fetch implementation: 49 ms of CPU and 16 MB for each process (Node 26.10, ADR 22).
 */
export const http = process.getBuiltinModule("node:http");

/**
 * Node's TLS, when it is used. Loading it has a thread read the root certificates that Node.js carries: 18 ms of CPU at the start of every process,
 * most of which never speak it (ADR 25).
 */
export const tls = (): typeof import("node:tls") => process.getBuiltinModule("node:tls");
/** The same of node:https. */
export const https = (): typeof import("node:https") => process.getBuiltinModule("node:https");
