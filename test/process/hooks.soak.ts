/** All the hooks that do what no hook should. */
process.env["DROVER_TEST_TIMES"] ??= "2";
await import("./hooks.test.ts");
