/** What the linters of AWS and of the shell say of the artefacts for AWS. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import test from "node:test";
import { needs } from "../../support/needs.ts";
import { filesOf, inFolder, run, runs } from "./emitted.ts";

const OPTIONS = { name: "drover", regions: "us-east-1,eu-west-1,ap-south-1" };

test("2.9: the script is sound shell", { skip: needs("shellcheck", "shellcheck") }, (t) => {
  runs("shellcheck", [join(inFolder(t, "deploy-100k", OPTIONS), "deploy-100k.sh")]);
});

const lint = run("cfn-lint", ["--version"]).error === undefined;
test(
  "2.3–2.10: cfn-lint accepts the templates",
  { skip: lint ? false : "needs cfn-lint: pip install cfn-lint" },
  (t) => {
    const dir = inFolder(t, "cloudformation", OPTIONS);
    const files = [...filesOf("cloudformation", OPTIONS), ...filesOf("cloudwatch", OPTIONS)].map(
      ({ path, text }) => {
        writeFileSync(join(dir, path), text);
        return join(dir, path);
      },
    );
    runs("cfn-lint", ["--regions", "us-east-1", "--template", ...files]);
  },
);
