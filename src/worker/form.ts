import { DroverError } from "../base/errors.ts";
import { impossible } from "../base/never.ts";
import type { FetchApplication, Form, Listener } from "./app.ts";

/** A Fastify plugin, as far as a worker cares. */
export type Plugin = (fastify: never, options: never, done?: never) => unknown;

export type Application =
  | { readonly form: "fastify"; readonly plugin: Plugin; readonly options: Readonly<Record<string, unknown>> }
  | { readonly form: "listener"; readonly listener: Listener }
  | { readonly form: "fetch"; readonly app: FetchApplication }
  /** `asked`: it says so itself. */
  | { readonly form: "script"; readonly asked?: boolean };

const REQUEST_NAMES = /^_?(?:req|request|incoming|incomingmessage|message)$/i;
const FASTIFY_NAMES = /^_?(?:fastify|app|instance|server|scope|api|f)$/i;
/** Set by the package fastify-plugin on what it wraps. */
const PLUGIN_MARKS = [Symbol.for("skip-override"), Symbol.for("fastify.display-name"), Symbol.for("plugin-meta")];

/**
 * Finds out which form a module has (app.ts has the rules).
 * @param module what `import()` gave.
 * @param hasListened the module has called `listen` while it was loaded.
 * @throws DroverError DROVER_E_APP when it can't be told.
 */
export function applicationOf(module: Readonly<Record<string, unknown>>, file: string, hasListened: boolean): Application {
  if (hasListened) return { form: "script" };
  const exported = defaultOf(module);
  const asked = explicitForm(module, file);
  const form = asked ?? guess(exported, file);
  switch (form) {
    case "script":
      if (asked === undefined && isPrimitive(exported)) return unusable(file, exported);
      return { form, asked: asked !== undefined };
    case "fetch":
      return isFetch(exported) ? { form, app: exported } : wrong(file, "fetch", "an object with a function `fetch`");
    case "fastify":
      if (typeof exported !== "function") return wrong(file, form, "a function");
      return { form, plugin: exported as Plugin, options: optionsOf(module, file) };
    case "listener":
      return typeof exported === "function" ? { form, listener: exported as Listener } : wrong(file, form, "a function");
    default:
      return impossible(form);
  }
}

/** A CommonJS module that TypeScript or Babel compiled has its default export inside `module.exports`. */
function defaultOf(module: Readonly<Record<string, unknown>>): unknown {
  const exported = module["default"];
  const inner = exported as { __esModule?: unknown; default?: unknown } | null | undefined;
  return typeof inner === "object" && inner?.__esModule === true ? inner.default : exported;
}

/** An export by name; CommonJS may have it on `module.exports` where Node can't see it. */
function exportOf(module: Readonly<Record<string, unknown>>, name: string): unknown {
  const { default: exported } = module;
  return module[name] ?? (typeof exported === "function" ? (exported as unknown as Record<string, unknown>)[name] : undefined);
}

function explicitForm(module: Readonly<Record<string, unknown>>, file: string): Form | undefined {
  const form = exportOf(module, "form");
  if (form === undefined) return undefined;
  if (form === "fastify" || form === "listener" || form === "fetch" || form === "script") return form;
  throw new DroverError(
    "DROVER_E_APP",
    `${file}: export form is ${JSON.stringify(form)}; expected "fastify", "listener", "fetch" or "script"`,
  );
}

function guess(exported: unknown, file: string): Form {
  if (typeof exported !== "function") return isFetch(exported) ? "fetch" : "script";
  if (PLUGIN_MARKS.some((mark) => mark in exported)) return "fastify";
  const first = firstParameter(exported);
  const isClass = /^class\b/.test(Function.prototype.toString.call(exported));
  if (REQUEST_NAMES.test(first)) return "listener"; // Express and Connect applications too: app(req, res, next)
  if (FASTIFY_NAMES.test(first)) return "fastify";
  if (!isClass && (exported.length === 3 || exported.length === 1)) return "fastify";
  throw new DroverError(
    "DROVER_E_APP",
    `${file}: can't tell whether its default export, a function of ${exported.length} parameters` +
      `${first === "" ? "" : ` of which the first is called ${first}`}, is a Fastify plugin or a (req, res) listener: ` +
      'add `export const form = "fastify"` or `export const form = "listener"`',
  );
}

/** @returns "" when the function has no plain first parameter. */
function firstParameter(callable: object): string {
  const text = Function.prototype.toString.call(callable);
  const [, named, alone] =
    /^(?:async\s*)?(?:function\b\s*\*?\s*[\w$]*\s*)?(?:[\w$]+\s*)?\(\s*([\w$]+)|^(?:async\s+)?([\w$]+)\s*=>/.exec(text) ?? [];
  return named ?? alone ?? "";
}

function isFetch(exported: unknown): exported is FetchApplication {
  return typeof exported === "object" && exported !== null && typeof (exported as { fetch?: unknown }).fetch === "function";
}

function optionsOf(module: Readonly<Record<string, unknown>>, file: string): Readonly<Record<string, unknown>> {
  const options = exportOf(module, "options");
  if (options === undefined) return {};
  if (typeof options === "object" && options !== null) return options as Record<string, unknown>;
  throw new DroverError("DROVER_E_APP", `${file}: export options is ${typeof options}; expected an object of Fastify's server options`);
}

/** An object may be whatever a script happens to export; a text, a number or `true` was meant as something. */
const isPrimitive = (exported: unknown): boolean =>
  exported !== undefined && exported !== null && typeof exported !== "object" && typeof exported !== "function";

function unusable(file: string, exported: unknown): never {
  throw new DroverError(
    "DROVER_E_APP",
    `${file}: its default export is a ${typeof exported}; expected a (req, res) listener, a Fastify plugin or an object with a function \`fetch\``,
  );
}

function wrong(file: string, form: Form, expected: string): never {
  throw new DroverError("DROVER_E_APP", `${file}: its form is ${form}, so its default export must be ${expected}`);
}
