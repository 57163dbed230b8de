/**
 * Failures on order: what clients of Google must survive and no one can provoke there. A fault waits for calls of its
 * method and is used up by them. With `applied` the call is carried out and committed before it fails: the lost answer.
 */
import { LIMITS } from "./limits.ts";

export type FaultKind =
  /** Google's error envelope with this status. */
  | { readonly kind: "status"; readonly status: number; readonly message?: string }
  /** A page instead of JSON: a proxy's 502, the front end's "automated queries". */
  | { readonly kind: "html"; readonly status: number }
  /** No answer; the connection stays until the client gives up. */
  | { readonly kind: "hang" }
  /** The connection is reset, before or (with `partial`) within the answer. */
  | { readonly kind: "drop"; readonly partial?: boolean }
  /** The true answer, one byte every `everyMs`. */
  | { readonly kind: "drip"; readonly everyMs: number }
  /** 200 with the true answer cut in the middle, length and all consistent. */
  | { readonly kind: "malformed" }
  /** 200 with a JSON string of this many bytes. */
  | { readonly kind: "huge"; readonly bytes: number }
  | { readonly kind: "redirect"; readonly location: string };

export type Fault = FaultKind & {
  /** A method's id, "oauth.token", or "*" for every method of the API. */
  readonly method: string;
  /** How many calls it hits. */
  readonly times: number;
  /** The call takes effect all the same. Kinds that carry the true answer always do. */
  readonly applied: boolean;
};

type Fields = Readonly<Record<string, unknown>>;
const isInteger = (v: unknown, least: number, most: number): v is number =>
  typeof v === "number" && Number.isInteger(v) && v >= least && v <= most;

const readers: { readonly [K in FaultKind["kind"]]: (f: Fields) => Extract<FaultKind, { kind: K }> | string } = {
  status: ({ status, message }) => {
    if (!isInteger(status, 400, 599)) return "status must be 400…599";
    if (message !== undefined && typeof message !== "string") return "message must be a string";
    return { kind: "status", status, ...(message === undefined ? {} : { message }) };
  },
  html: ({ status }) => (isInteger(status, 200, 599) ? { kind: "html", status } : "status must be 200…599"),
  hang: () => ({ kind: "hang" }),
  drop: ({ partial }) => (partial === true ? { kind: "drop", partial } : { kind: "drop" }),
  drip: ({ everyMs }) => (isInteger(everyMs, 1, 60_000) ? { kind: "drip", everyMs } : "everyMs must be 1…60000"),
  malformed: () => ({ kind: "malformed" }),
  huge: ({ bytes }) => (isInteger(bytes, 1, LIMITS.hugeBody) ? { kind: "huge", bytes } : `bytes must be 1…${LIMITS.hugeBody}`),
  redirect: ({ location }) =>
    typeof location === "string" && /^[\x21-\x7e]{1,2000}$/.test(location) ? { kind: "redirect", location } : "location must be a URL",
};

/** Reads an order as it comes over HTTP. @returns the fault, or what is wrong with it in words. */
export function readFault(raw: unknown): Fault | string {
  if (typeof raw !== "object" || raw === null) return "a fault is an object with kind, method and times";
  const fields = raw as Fields;
  const { kind, method = "*", times = 1, applied = false } = fields;
  if (typeof kind !== "string" || !Object.hasOwn(readers, kind)) return `kind must be one of ${Object.keys(readers).join(", ")}`;
  if (typeof method !== "string" || method.length > 100) return "method must be a method's id, oauth.token or *";
  if (!isInteger(times, 1, 1_000_000)) return "times must be 1…1000000";
  if (typeof applied !== "boolean") return "applied must be true or false";
  const read = readers[kind as FaultKind["kind"]](fields);
  return typeof read === "string" ? read : { ...read, method, times, applied };
}

/** The faults that wait, oldest first. */
export class Faults {
  #armed: Fault[] = [];

  /** @throws RangeError when too many wait already: a test that forgot to clear. */
  arm(fault: Fault): void {
    if (this.#armed.length >= LIMITS.faults) throw new RangeError(`${LIMITS.faults} faults wait already: clear them first`);
    this.#armed.push(fault);
  }

  clear(): void {
    this.#armed = [];
  }

  list(): readonly Fault[] {
    return this.#armed;
  }

  /** Takes the first that is meant for this method. */
  take(method: string): Fault | undefined {
    const index = this.#armed.findIndex((f) => f.method === method || (f.method === "*" && method !== "oauth.token"));
    const fault = this.#armed[index];
    if (fault === undefined) return undefined;
    if (fault.times > 1) this.#armed[index] = { ...fault, times: fault.times - 1 };
    else this.#armed.splice(index, 1);
    return fault;
  }
}

/** Whether the call is carried out under this fault. */
export const takesEffect = (fault: Fault): boolean => fault.applied || fault.kind === "drip" || fault.kind === "malformed";
