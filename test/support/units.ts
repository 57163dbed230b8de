/** Imports the unit tests that are named by its arguments: they need no process of their own. */
import { resolve } from "node:path";
import test from "node:test";

for (const file of process.argv.slice(2)) {
  try {
    await import(resolve(file));
  } catch (error) {
    test(`${file} can be imported`, () => {
      throw error;
    });
  }
}
