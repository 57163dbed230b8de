/** What `npm test` tries in part, or with clients that pause: all of it, without a pause. */
process.env["DROVER_TEST_TIMES"] ??= "2";
await import("./hooks.test.ts");
await import("./every-form.test.ts");
await import("./ends.test.ts");
await import("./foreign.test.ts");
await import("./demo.test.ts");
await import("./events.test.ts");
await import("./balance.test.ts");
await import("./hostile.test.ts");
await import("./reload.test.ts");
await import("./reloads.test.ts");
await import("./supervision.test.ts");
await import("./tls.test.ts");
