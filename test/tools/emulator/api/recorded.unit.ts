/** Every request of the recorded conversations passes the router and the validator, save those that Google refused there. */
import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { matchRoute } from "../../../../src/tools/emulator/api/router.ts";
import { violationsOf } from "../../../../src/tools/emulator/api/validate.ts";

const FOLDER = fileURLToPath(new URL("../../../../../shared/recordings/", import.meta.url));

interface Interaction {
  readonly request: { readonly method: string; readonly uri: string; readonly body: string | null };
  readonly response: {
    readonly status: { readonly code: number };
    readonly body: { readonly string: string };
  };
}

/** @returns the violations, joined as in Google's message; undefined when the request is in order. */
function complaint({ request }: Interaction): string | undefined {
  const url = new URL(request.uri);
  const match = matchRoute(request.method, url.pathname);
  assert.ok(match, `no route for ${request.method} ${url.pathname}`);
  const { route, path } = match;
  const query = Object.fromEntries(
    [...url.searchParams.keys()].map((name) => [name, url.searchParams.getAll(name)]),
  );
  const body: unknown =
    request.body === null || request.body === "" ? {} : JSON.parse(request.body);
  const violations = violationsOf(route, { method: route.id, path, query, body });
  return violations.length === 0 ? undefined : violations.map((v) => v.description).join("\n");
}

test(
  "recorded requests are refused where Google refused them, in the same words",
  { skip: !existsSync(FOLDER) && "no recordings next to this repository" },
  (t) => {
    let seen = 0;
    for (const file of readdirSync(FOLDER).filter((name) => name.endsWith(".json"))) {
      const { interactions } = JSON.parse(readFileSync(`${FOLDER}${file}`, "utf8")) as {
        interactions: Interaction[];
      };
      for (const interaction of interactions.filter((i) =>
        i.request.uri.startsWith("https://sheets.googleapis.com/v4/"),
      )) {
        seen += 1;
        const { response } = interaction;
        const theirs =
          response.status.code === 400
            ? (JSON.parse(response.body.string) as { error: { message: string } }).error.message
            : undefined;
        assert.equal(
          complaint(interaction),
          theirs,
          `${file}: ${interaction.request.method} ${interaction.request.uri}`,
        );
      }
    }
    t.diagnostic(`${seen} recorded requests`);
    assert.ok(seen > 0);
  },
);
