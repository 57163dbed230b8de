/** All the hooks that do what no hook should, and all forms of application. */
process.env["DROVER_TEST_TIMES"] ??= "2";
await import("./hooks.test.ts");
await import("./every-form.test.ts");
