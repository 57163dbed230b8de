/** Every request of the recorded conversations passes the router and the validator, save those that Google refused there. */
import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { checkBody, checkPath, checkQuery } from "../../../../src/tools/emulator/api/validate.ts";
import { parseJson } from "../../../../src/tools/emulator/body.ts";
import { bodyField, matchRoute } from "../../../../src/tools/emulator/router.ts";

const FOLDER = fileURLToPath(new URL("../../../../../shared/recordings/", import.meta.url));

interface Interaction {
  readonly request: { readonly method: string; readonly uri: string; readonly body: string | null };
  readonly response: {
    readonly status: { readonly code: number };
    readonly body: { readonly string: string };
  };
}

/** @returns Google's message, or undefined when the request is in order. */
function complaint({ request }: Interaction): string | undefined {
  const url = new URL(request.uri);
  const match = matchRoute(request.method, url.pathname);
  assert.ok(match, `no route for ${request.method} ${url.pathname}`);
  const query = new Map(
    [...url.searchParams.keys()].map((name) => [name, url.searchParams.getAll(name)]),
  );
  const checks = [checkPath(match.route, match.path), checkQuery(match.route, query)];
  if (match.route.request !== undefined) {
    const body = parseJson(Buffer.from(request.body ?? ""));
    assert.ok("value" in body);
    checks.push(
      checkBody(
        match.route.request,
        bodyField(match.route.id),
        body.value,
      ) as (typeof checks)[number],
    );
  }
  const refused = checks.find((check) => !check.ok);
  return refused?.ok === false
    ? refused.violations.map((v) => v.description).join("\n")
    : undefined;
}

test(
  "recorded requests are judged as Google judged them",
  { skip: !existsSync(FOLDER) && "no recordings beside this clone" },
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
