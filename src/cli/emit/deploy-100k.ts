/** `drover emit deploy-100k`: the script that deploys the templates for 100,000 users, dry by default. */
import { fillTemplate, type Artefact } from "./artefact.ts";
import { alarmAt, NAME_OPTION, nameOf, PROVISIONED, RATE, REGIONS_OPTION, regionsOf, RESERVED, shareOf } from "./cloud.ts";

const FILE = "deploy-100k.sh";
/** Executions that Lambda keeps unreserved in each account. */
const UNRESERVED = 100;

export const deploy100k: Artefact = {
  name: "deploy-100k",
  does: "deploy-100k.sh: deploys the templates; a dry run by default",
  options: [NAME_OPTION, REGIONS_OPTION],
  files(facts, options) {
    const regions = regionsOf(options);
    const reserved = shareOf(RESERVED, regions.length);
    const text = fillTemplate(FILE, "deploy-100k", facts, {
      NAME: nameOf(options),
      REGIONS: regions.join(" "),
      FIRST_REGION: regions[0] ?? "",
      RATE: String(shareOf(RATE, regions.length)),
      BURST: String(2 * shareOf(RATE, regions.length)),
      RESERVED: String(reserved),
      PROVISIONED: String(shareOf(PROVISIONED, regions.length)),
      ALARM: String(alarmAt(reserved)),
      QUOTA: String(reserved + UNRESERVED),
    });
    return [{ path: FILE, text, mode: 0o755 }];
  },
  next: ([path = FILE]) =>
    [
      "Next, in the same folder: drover emit cloudformation && drover emit cloudwatch",
      `  CODE_BUCKET=my-code CODE_KEY=app-1.zip sh ${path}      # prints what it would do`,
      "It was not run here: read it, and drover plan --preset internet, before you give it --run.",
      "",
    ].join("\n"),
};
