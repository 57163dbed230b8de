/**
 * node:http, taken so that it costs nothing but itself. An `import` of it reads every property that it exports, and with them those that are
 * made at their first use (WebSocket, CloseEvent, MessageEvent): all of undici is loaded then, in each of N + 3 processes, at each start. Types may
 * be imported from node:http as ever. test/base/http.test.ts holds to it.
 */
export const http: typeof import("node:http") = process.getBuiltinModule("node:http");
