/** Properties and models that `npm test` tries at random, sixty times as often. */
process.env["DROVER_TEST_TIMES"] ??= "60";
await import("./master/core/model.unit.ts");
await import("./broker/flusher/lives.unit.ts");
await import("./broker/flusher/model.unit.ts");
await import("./broker/flusher/instep.unit.ts");
await import("./app/query/page.unit.ts");
await import("./app/query/parse.unit.ts");
await import("./app/export/formats.unit.ts");
