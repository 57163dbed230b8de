/** `drover emit cloudformation`: tables, a region and CloudFront as the internet-scale notes have them, corrected. */
import { fillTemplate, type Artefact } from "./artefact.ts";
import { NAME_OPTION, nameOf, PROVISIONED, REGIONS_OPTION, regionsOf, RESERVED } from "./cloud.ts";

/** Seconds that a public answer is kept: the notes' own figure, for the gateway and the edge. */
const CACHE_TTL = 60;

export const cloudformation: Artefact = {
  name: "cloudformation",
  does: "drover-{tables,region,edge}.yaml: templates for AWS",
  options: [NAME_OPTION, REGIONS_OPTION],
  files(facts, options) {
    const values = {
      NAME: nameOf(options),
      RESERVED: String(RESERVED),
      PROVISIONED: String(PROVISIONED),
      TTL: String(CACHE_TTL),
      REPLICAS: regionsOf(options).flatMap(replica),
    };
    return ["tables", "region", "edge"].map((part) => ({
      path: `drover-${part}.yaml`,
      text: fillTemplate(`cloudformation-${part}.yaml`, "cloudformation", facts, values),
    }));
  },
  next: (paths) =>
    [
      `Check with: cfn-lint ${paths.join(" ")}`,
      "They were not run here. drover emit cloudwatch writes the alarms, drover emit deploy-100k the script that deploys all of it.",
      "",
    ].join("\n"),
};

const replica = (region: string): string[] => [
  `        - Region: ${region}`,
  "          DeletionProtectionEnabled: true",
  "          PointInTimeRecoverySpecification:",
  "            PointInTimeRecoveryEnabled: true",
];
