/** People who log in to a world, as clients with a jar for one cookie. */
import assert from "node:assert/strict";
import { randomBytes, scryptSync } from "node:crypto";
import { PLAYERS, players, sampleSheet, world, type Sheet, type World } from "../world.ts";
import type { Services } from "../../../src/base/runtime.ts";
import { writeScrypt } from "../../../src/sheets/secrets.ts";
import type { VisibleColumn } from "../../../src/sheets/snapshot.ts";

export const CODES = { ada: "K7M2-9QXR-4T3W", kim: "ZZZZ-2222-3333", root: "R00T-R00T-R00T" } as const;
const NOTES: readonly VisibleColumn[] = ["id", "who", "text"].map((name) => ({ name, type: "string" }));

/** Tables for everybody, for members, for each their own, for a role; and who may log in. */
export function eventSheet(): Sheet {
  const sheet = sampleSheet();
  sheet.table("notes", "own rows", NOTES, [
    ["n1", "Ada", "CANARY-ADA"],
    ["n2", "Kim", "CANARY-KIM"],
    ["n3", null, "CANARY-NOBODY"],
  ]);
  sheet.grant("notes", { append: "own rows", update: "own rows", owner: "who" });
  sheet.table("desk", { role: "desk" }, PLAYERS, players(3));
  sheet.users([
    ["Ada", CODES.ada],
    ["Kim", CODES.kim, "desk"],
    ["Root", CODES.root, "admin"],
  ]);
  return sheet;
}

/** The verifier of a password, of a cost that a test can pay many times. */
export function cheapVerifier(password: string, cost = { ln: 10, r: 1, p: 1 }): string {
  const salt = randomBytes(16);
  const hash = scryptSync(password.normalize("NFC"), salt, 32, { N: 2 ** cost.ln, r: cost.r, p: cost.p });
  return writeScrypt({ ...cost, salt, hash });
}

/** The share of pairs in which a is slower, ties counting half (AUC): 0.5 when nothing tells the two apart. */
export const slower = (a: readonly number[], b: readonly number[]): number =>
  a.reduce((sum, x) => sum + b.reduce((wins, y) => wins + (x > y ? 1 : x === y ? 0.5 : 0), 0), 0) / (a.length * b.length);

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  readonly body: Record<string, unknown>;
}

export class Person {
  readonly world: World;
  cookie = "";
  headers: Record<string, string> = {};

  constructor(w: World) {
    this.world = w;
  }

  async ask(method: string, path: string, body?: unknown, headers: Record<string, string> = {}): Promise<Answer> {
    const response = await fetch(this.world.url + path, {
      method,
      redirect: "manual",
      headers: {
        ...(this.cookie === "" ? {} : { Cookie: this.cookie }),
        ...(body === undefined ? {} : { "Content-Type": "application/json" }),
        ...this.headers,
        ...headers,
      },
      ...(body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) }),
    });
    const [given] = response.headers.getSetCookie();
    if (given !== undefined) this.cookie = /Max-Age=0/.test(given) ? "" : (given.split(";")[0] ?? "");
    const text = await response.text();
    const json = /json/.test(response.headers.get("content-type") ?? "") ? (JSON.parse(text) as Record<string, unknown>) : {};
    return { status: response.status, headers: response.headers, text, body: json };
  }

  get(path: string, headers: Record<string, string> = {}): Promise<Answer> {
    return this.ask("GET", path, undefined, headers);
  }

  login(name: string, secret: string, headers: Record<string, string> = {}): Promise<Answer> {
    return this.ask("POST", "/api/login", { name, secret }, headers);
  }
}

/** Somebody who is logged in. */
export async function member(w: World, name: "Ada" | "Kim" | "Root"): Promise<Person> {
  const person = new Person(w);
  const answer = await person.login(name, CODES[name.toLowerCase() as keyof typeof CODES]);
  assert.equal(answer.status, 200, answer.text);
  return person;
}

export const eventWorld = (more: Partial<Services> = {}): Promise<World> => world(eventSheet(), undefined, more);
