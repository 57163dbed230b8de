/** What `npm test` tries in part, or with clients that pause: all of it, without a pause. */
process.env["DROVER_TEST_TIMES"] ??= "2";
await import("./hostile.test.ts");
await import("./reload.test.ts");
await import("./reloads.test.ts");
await import("./supervision.test.ts");
await import("./tls.test.ts");
