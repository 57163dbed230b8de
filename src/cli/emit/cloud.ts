/** Options and figures that the artefacts for AWS share. */
import { DroverError } from "../../base/errors.ts";
import type { ArtefactOption, OptionValues } from "./artefact.ts";

export const NAME_OPTION: ArtefactOption = { name: "name", value: "NAME", default: "drover", does: "of the stacks, function and tables" };
export const REGIONS_OPTION: ArtefactOption = {
  name: "regions",
  value: "LIST",
  default: "us-east-1,eu-west-1,ap-south-1",
  does: "where to deploy, the first one first",
};

/** Executions that are reserved for the function, and kept ready: the notes' own figures. */
export const RESERVED = 20_000;
export const PROVISIONED = 5_000;
/** Requests a second of all users. */
export const RATE = 100_000;

/** What each of several regions must carry, so that the others take over when one fails. */
export const shareOf = (whole: number, regions: number): number => Math.ceil(whole / Math.max(1, regions - 1));

/** Executions at which the alarm is raised: 90 % of those reserved. */
export const alarmAt = (reserved: number): number => Math.floor(reserved * 0.9);

/** @throws DroverError DROVER_E_USAGE. */
export function nameOf({ name = "drover" }: OptionValues): string {
  if (/^[a-z][a-z0-9-]{0,39}$/.test(name)) return name;
  throw new DroverError("DROVER_E_USAGE", `--name ${name}: expected up to 40 lower-case letters, digits and hyphens, such as drover`);
}

/** @throws DroverError DROVER_E_USAGE. */
export function regionsOf({ regions = "" }: OptionValues): readonly string[] {
  const list = regions.split(",");
  if (list.every((region) => /^[a-z]{2}(?:-[a-z]+){1,3}-\d$/.test(region)) && new Set(list).size === list.length) return list;
  throw new DroverError("DROVER_E_USAGE", `--regions ${regions}: expected AWS regions, each once, such as us-east-1,eu-west-1`);
}
