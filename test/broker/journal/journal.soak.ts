/** The journal's and the emulator's trials at random, sixteen times as many. */
process.env["DROVER_TEST_TIMES"] ??= "16";
await import("./damage.test.ts");
await import("./kill.test.ts");
await import("./model.unit.ts");
await import("../../tools/emulator/kill.test.ts");
