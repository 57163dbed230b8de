/** An env file: whose names are whose. */
import { parseEnvFile } from "../../../settings/envfile.ts";
import { SECRET_NAME, type Read } from "./finding.ts";
import { bySettings, found, together, type Entry } from "./mapping.ts";

/** @param mode of the file, as stat() has it. */
export function envFile(text: string, path: string, mode: number): Read {
  const { entries, problems } = parseEnvFile(path, text);
  const reads: Read[] = problems.map((problem) =>
    found({
      is: "mistake",
      where: path,
      what: problem.replace(`${path}:`, "line "),
      mend: "drover refuses an env file that it can't read as one",
    }),
  );
  const secrets: string[] = [];
  for (const [name, { text: value, line }] of entries) {
    const entry: Entry = { name, text: value, where: `${path}:${line}` };
    if (SECRET_NAME.test(name) && value !== "") secrets.push(name);
    reads.push(bySettings(entry) ?? foreign(entry));
  }
  if (secrets.length > 0 && (mode & 0o004) !== 0)
    reads.push(
      found({
        is: "mistake",
        where: path,
        what: `readable for every user of the machine (${(mode & 0o777).toString(8)}), and holds ${secrets.join(", ")}`,
        mend: `chmod 640 ${path}, and change the secrets: they may have been read`,
      }),
    );
  return together(reads);
}

function foreign({ name, text, where }: Entry): Read {
  if (name === "GUNICORN_WORKER_CLASS" || name === "GUNICORN_THREADS")
    return found({
      is: "ignored",
      where,
      what: `${name}=${text}`,
      why: "every worker runs an event loop, which is what gevent and its like add to Gunicorn",
    });
  if (/PRIVATE KEY|"private_key"/.test(text))
    return found({
      is: "mistake",
      where,
      what: `${name} holds a private key`,
      mend: "put the key into a file of its own, 0600, and name that in GOOGLE_APPLICATION_CREDENTIALS",
    });
  const what = SECRET_NAME.test(name) ? name : `${name}=${text}`;
  if (name.startsWith("DROVER_"))
    return found({ is: "mistake", where, what, mend: "no setting of drover has this name: docs/SETTINGS.md" });
  const why = name.startsWith("GUNICORN_")
    ? "drover has no such setting: docs/from-gunicorn.md"
    : "not drover's: your own application finds it in the environment that drover is started with (a drop-in's EnvironmentFile=), not in drover's env file";
  return found({ is: "ignored", where, what, why });
}
