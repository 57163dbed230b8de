import { DroverError } from "../base/errors.ts";
import { emitSystemd } from "./emit/systemd.ts";

/** What `drover emit NAME` can write: one function a name. */
const ARTEFACTS: Readonly<Record<string, (argv: readonly string[]) => number>> = { systemd: emitSystemd };

/** `drover emit NAME …`: writes files for other programs, filled for this machine. */
export async function emit(argv: readonly string[]): Promise<number> {
  const [name, ...rest] = argv;
  const names = Object.keys(ARTEFACTS).join(", ");
  if (name === undefined) throw new DroverError("DROVER_E_USAGE", `drover emit needs the name of what to write: ${names}`);
  const write = Object.hasOwn(ARTEFACTS, name) ? ARTEFACTS[name] : undefined;
  if (write === undefined) throw new DroverError("DROVER_E_USAGE", `drover emit does not know "${name}": it writes ${names}`);
  return write(rest);
}
