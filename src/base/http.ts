/**
 * node:http without what an ES module import of it costs. Such an import reads every export to bind it, also the lazy getters WebSocket,
 * CloseEvent and MessageEvent, and these load Node's whole fetch implementation: 49 ms of CPU and 16 MB for each process (Node 26.10, ADR 22).
 */
export const http = process.getBuiltinModule("node:http");
