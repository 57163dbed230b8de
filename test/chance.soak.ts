/** Properties and models that `npm test` tries at random, twenty times as often. */
process.env["DROVER_TEST_TIMES"] ??= "20";
await import("./master/core/model.test.ts");
await import("./broker/flusher/lives.test.ts");
await import("./broker/flusher/model.test.ts");
await import("./app/query/page.test.ts");
await import("./app/query/parse.test.ts");
await import("./app/export/formats.test.ts");
