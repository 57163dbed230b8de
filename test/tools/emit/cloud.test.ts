/** The artefacts for AWS, held to every correction of the notes behind them. They are parsed and linted, never deployed. */
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import test, { type TestContext } from "node:test";
import { corrections } from "../plan/published.ts";
import { parseYaml, type Yaml } from "../../container/yaml.ts";
import { emptyFolder, filesOf, inFolder, run, sample, textOf } from "./emitted.ts";

const REGIONS = "us-east-1,eu-west-1,ap-south-1";
const OPTIONS = { name: "drover", regions: REGIONS };
const source = (part: string): string =>
  textOf("cloudformation", OPTIONS, { path: `drover-${part}.yaml` });

type Fields = { readonly [name: string]: Yaml };
/** The value at `Resources.Stage.Properties`, lists by their index; undefined where there is none. */
const at = (value: Yaml | undefined, ...path: readonly string[]): Yaml | undefined =>
  path.reduce<Yaml | undefined>(
    (inner, name) => (typeof inner === "object" ? (inner as Fields)[name] : undefined),
    value,
  );
const template = (part: string): Yaml => parseYaml(source(part));
const properties = (part: string, resource: string): Yaml =>
  at(template(part), "Resources", resource, "Properties") ??
  assert.fail(`${part} has no ${resource}`);
const parameter = (part: string, name: string): Yaml | undefined =>
  at(template(part), "Parameters", name, "Default");

/** All comments as one text. */
const comments = (text: string): string =>
  text
    .split("\n")
    .flatMap((line) => /^ *# (.*)$/.exec(line)?.[1] ?? [])
    .join(" ");

test("2.3: the gateway has the stage's rate and cache as parameters, and says which quotas bind them", () => {
  const stage = properties("region", "Stage");
  assert.deepEqual(
    [
      parameter("region", "ThrottleRate"),
      parameter("region", "ThrottleBurst"),
      parameter("region", "CacheTtl"),
      parameter("region", "CacheSize"),
    ],
    ["100000", "200000", "60", "6.1"],
  );
  assert.deepEqual(at(stage, "CacheClusterSize"), { Ref: "CacheSize" });
  const [all, reads] = at(stage, "MethodSettings") as Fields[];
  assert.deepEqual(
    [all?.["ResourcePath"], all?.["CachingEnabled"]],
    ["/*", "false"],
    "nothing is cached unless it is public",
  );
  assert.deepEqual(
    [reads?.["HttpMethod"], reads?.["CachingEnabled"], reads?.["CacheTtlInSeconds"]],
    ["GET", "true", { Ref: "CacheTtl" }],
  );
  const keys = at(
    properties("region", "PublicMethod"),
    "Integration",
    "CacheKeyParameters",
  ) as string[];
  assert.deepEqual(
    new Set(keys),
    new Set(Object.keys(at(properties("region", "PublicMethod"), "RequestParameters") as Fields)),
  );
  const said = comments(source("region"));
  for (const part of ["L-8A5B8E43", "not a quota a customer can control"])
    assert.ok(said.includes(part), part);
});

test("2.4: provisioned concurrency hangs on an alias of a version, not on $LATEST, and its limits are stated", () => {
  const alias = properties("region", "LiveAlias");
  assert.deepEqual(at(alias, "FunctionVersion"), { "Fn::GetAtt": "FunctionVersion.Version" });
  assert.deepEqual(at(alias, "ProvisionedConcurrencyConfig", "ProvisionedConcurrentExecutions"), {
    Ref: "ProvisionedConcurrency",
  });
  assert.deepEqual(
    [parameter("region", "ReservedConcurrency"), parameter("region", "ProvisionedConcurrency")],
    ["20000", "5000"],
  );
  const lambda = properties("region", "Function");
  assert.deepEqual(
    [
      at(lambda, "Architectures"),
      at(lambda, "MemorySize"),
      at(lambda, "Timeout"),
      at(lambda, "EphemeralStorage", "Size"),
    ],
    [["arm64"], "1024", "10", "512"],
  );
  const text = source("region");
  assert.ok(
    !text.split("\n").some((line) => line.includes("$LATEST") && !line.trim().startsWith("#")),
    "only comments name it",
  );
  const said = comments(text);
  for (const part of [
    "$LATEST has none",
    "empty in the shell",
    "L-B99A9384",
    "from 0 to 10,000 takes 100 s",
    "30,000 at once",
  ])
    assert.ok(said.includes(part), part);
  assert.match(
    text,
    /Uri:\n +Fn::Sub: ".*functions\/\$\{LiveAlias\}\/invocations"/,
    "the gateway calls the alias",
  );
});

test("2.5: tables are on demand, kept on deletion, and DAX is only there when asked for", () => {
  for (const table of ["FeedsTable", "LikesTable"]) {
    assert.equal(at(properties("tables", table), "BillingMode"), "PAY_PER_REQUEST");
    assert.equal(at(template("tables"), "Resources", table, "DeletionPolicy"), "Retain");
  }
  assert.equal(parameter("region", "WithDax"), "no");
  assert.equal(at(template("region"), "Resources", "DaxCluster", "Condition"), "UseDax");
  assert.deepEqual(
    [
      at(properties("region", "DaxCluster"), "NodeType"),
      at(properties("region", "DaxCluster"), "ReplicationFactor"),
    ],
    ["dax.r5.large", "3"],
  );
});

test("2.6: CloudFront caches public reads by a policy of its own, and nothing else", () => {
  const config = at(properties("edge", "PublicReads"), "CachePolicyConfig");
  assert.deepEqual(
    [at(config, "MinTTL"), at(config, "DefaultTTL")],
    ["0", "0"],
    "the origin's Cache-Control decides",
  );
  const key = at(config, "ParametersInCacheKeyAndForwardedToOrigin");
  assert.deepEqual(
    [
      at(key, "CookiesConfig", "CookieBehavior"),
      at(key, "HeadersConfig", "HeaderBehavior"),
      at(key, "QueryStringsConfig", "QueryStringBehavior"),
    ],
    ["none", "none", "all"],
  );
  const distribution = at(properties("edge", "Distribution"), "DistributionConfig");
  const cachingDisabled = "4135ea2d-6df8-44a3-9df3-4b5a84be39ad";
  assert.equal(at(distribution, "DefaultCacheBehavior", "CachePolicyId"), cachingDisabled);
  const behaviours = at(distribution, "CacheBehaviors") as Fields[];
  assert.equal(behaviours.length, 1);
  assert.deepEqual(behaviours[0]?.["CachePolicyId"], { Ref: "PublicReads" });
  assert.deepEqual(behaviours[0]?.["AllowedMethods"], ["GET", "HEAD"]);
  const origin = at(distribution, "Origins", "0");
  assert.equal(at(origin, "CustomOriginConfig", "OriginProtocolPolicy"), "https-only");
  assert.deepEqual(
    [parameter("edge", "OriginPath"), parameter("edge", "PriceClass")],
    ["/staging", "PriceClass_All"],
  );
  const text = source("edge");
  const managed = text.split("\n").filter((line) => line.includes("658327ea"));
  assert.ok(
    managed.length > 0 && managed.every((line) => line.trim().startsWith("#")),
    "CachingOptimized is named as the mistake only",
  );
  assert.match(comments(text), /24 hours/);
});

test("2.7: every region has a replica of the tables and a latency record of its own", () => {
  for (const table of ["FeedsTable", "LikesTable"]) {
    const replicas = at(properties("tables", table), "Replicas") as Fields[];
    assert.deepEqual(
      replicas.map(({ Region }) => Region),
      REGIONS.split(","),
    );
  }
  const record = properties("region", "LatencyRecord");
  assert.deepEqual(
    [at(record, "Region"), at(record, "SetIdentifier")],
    [{ Ref: "AWS::Region" }, { Ref: "AWS::Region" }],
  );
  assert.equal(at(record, "AliasTarget", "EvaluateTargetHealth"), "true");
});

test("2.8, C9: the comments have the costs that drover plan computes, and what the notes' sum leaves out", () => {
  const computed = corrections("internet")
    .map(({ ours }) => ours)
    .join(" ");
  for (const [text, figures] of [
    [source("region"), ["7,793", "5,600", "54,000", "8.3 hours", "3.7 times"]],
    [textOf("deploy-100k", OPTIONS), ["74,194", "8.3 hours"]],
  ] as const)
    for (const figure of figures)
      assert.ok(computed.includes(figure) && comments(text).includes(figure), figure);
});

test("2.10: alarms have dimensions, p95 instead of the average, and the missing ones: 5xx, throttles", () => {
  const all = Object.entries(
    at(parseYaml(textOf("cloudwatch", OPTIONS)), "Resources") as Fields,
  ).filter(([, resource]) => at(resource, "Type") === "AWS::CloudWatch::Alarm");
  const alarm = (name: string): Yaml =>
    at(all.find(([id]) => id === name)?.[1], "Properties") ?? assert.fail(name);
  for (const [name, resource] of all) {
    assert.ok(
      (at(resource, "Properties", "Dimensions") as Fields[]).length > 0,
      `${name} has dimensions`,
    );
    assert.equal(at(resource, "Properties", "Period"), "60");
    assert.deepEqual(at(resource, "Properties", "AlarmActions"), [{ Ref: "Topic" }]);
  }
  const latency = alarm("ApiHighLatency");
  assert.deepEqual(
    [
      at(latency, "ExtendedStatistic"),
      at(latency, "Statistic"),
      at(latency, "Threshold"),
      at(latency, "EvaluationPeriods"),
    ],
    ["p95", undefined, "500", "3"],
  );
  const concurrency = alarm("LambdaHighConcurrency");
  assert.deepEqual(
    [
      at(concurrency, "Statistic"),
      at(concurrency, "Threshold"),
      at(concurrency, "EvaluationPeriods"),
    ],
    ["Maximum", { Ref: "ConcurrencyThreshold" }, "2"],
  );
  assert.equal(
    at(parseYaml(textOf("cloudwatch", OPTIONS)), "Parameters", "ConcurrencyThreshold", "Default"),
    "18000",
  );
  const metrics = all.map(([, resource]) => at(resource, "Properties", "MetricName"));
  for (const metric of ["5XXError", "Throttles", "ReadThrottleEvents", "WriteThrottleEvents"])
    assert.ok(metrics.includes(metric), metric);
});

test("2.10: the latency alarm takes the threshold and the duration of the settings", () => {
  const given = sample({ alert_latency: "800ms", alert_latency_for: "270s" });
  const latency = at(
    parseYaml(textOf("cloudwatch", OPTIONS, { given })),
    "Resources",
    "ApiHighLatency",
    "Properties",
  );
  assert.deepEqual([at(latency, "Threshold"), at(latency, "EvaluationPeriods")], ["800", "5"]);
});

const everything = ["cloudformation", "cloudwatch", "deploy-100k"];

test("2.9: no file holds an account id or an ARN, and each says that it was not run", () => {
  for (const artefact of everything)
    for (const { path, text } of filesOf(artefact, OPTIONS)) {
      assert.doesNotMatch(text, /(?<![\w-])\d{12}(?![\w-])/, path);
      assert.doesNotMatch(text, /arn:aws[\w-]*:[a-z0-9-]+:[a-z0-9-]*:\d/, path);
      assert.match(comments(text), /Not run here/, path);
    }
});

test("values that AWS would not take are refused", () => {
  for (const options of [
    { name: "A_b" },
    { regions: "us-east-1,us-east-1" },
    { regions: "moon" },
    { regions: "" },
  ])
    assert.throws(() => filesOf("cloudformation", { ...OPTIONS, ...options }), /expected/);
});

/** The script next to its templates, with a stub of the AWS CLI that keeps what it is asked. */
function deployment(
  t: TestContext,
  quota: number,
): { start: (...args: string[]) => ReturnType<typeof run>; calls: () => string[] } {
  const dir = inFolder(t, "deploy-100k", OPTIONS);
  for (const artefact of ["cloudformation", "cloudwatch"])
    for (const { path, text } of filesOf(artefact, OPTIONS)) writeFileSync(join(dir, path), text);
  const bin = emptyFolder(t);
  const log = join(bin, "calls");
  writeFileSync(log, "");
  const answers = `case "$2" in get-service-quota) echo ${quota}.0 ;; describe-stacks) echo api.example.org ;; esac`;
  writeFileSync(join(bin, "aws"), `#!/bin/sh\necho "$@" >>'${log}'\n${answers}\n`, { mode: 0o755 });
  const env = { PATH: `${bin}:${process.env["PATH"]}`, CODE_BUCKET: "code", CODE_KEY: "app.zip" };
  return {
    start: (...args) => run("sh", [join(dir, "deploy-100k.sh"), ...args], env),
    calls: () => readFileSync(log, "utf8").split("\n").slice(0, -1),
  };
}

test("2.9: without --run the script prints its commands and calls nothing", (t) => {
  const { start, calls } = deployment(t, 0);
  const { status, stdout, stderr } = start();
  assert.equal(status, 0, stderr);
  assert.deepEqual(calls(), []);
  assert.match(stdout, /Dry run: nothing was changed/);
  const deployed = stdout
    .split("\n")
    .filter((line) => line.startsWith("+ aws cloudformation deploy"));
  assert.equal(deployed.length, 8, "tables, the edge, and two stacks in each of three regions");
  assert.equal(start("--anyway").status, 64);
});

test("2.9: with --run it stops at a quota that is too low, before anything is deployed", (t) => {
  const { start, calls } = deployment(t, 10_000);
  const { status, stderr } = start("--run");
  assert.equal(status, 75);
  assert.match(
    stderr,
    /us-east-1: quota L-8A5B8E43 of apigateway is 10000\.0 \(expected 50000 or more\).*\n.*request-service-quota-increase/,
  );
  assert.ok(calls().every((call) => call.startsWith("service-quotas get-service-quota")));
});

test("2.9: with --run and quotas that suffice it deploys tables, regions, alarms and the edge, in this order", (t) => {
  const { start, calls } = deployment(t, 1_000_000);
  const { status, stderr } = start("--run");
  assert.equal(status, 0, stderr);
  const stacks = calls().flatMap(
    (call) => /deploy --region (\S+) --stack-name (\S+)/.exec(call)?.slice(1, 3).join(" ") ?? [],
  );
  const regions = REGIONS.split(",").flatMap((region) => [
    `${region} drover-region`,
    `${region} drover-alarms`,
  ]);
  assert.deepEqual(stacks, ["us-east-1 drover-tables", ...regions, "us-east-1 drover-edge"]);
  const [region = ""] = calls().filter((call) => call.includes("drover-region"));
  // Three regions: each carries half, so that two carry all when one fails.
  for (const part of [
    "CodeBucket=code-us-east-1",
    "ThrottleRate=50000",
    "ReservedConcurrency=10000",
    "ProvisionedConcurrency=2500",
  ])
    assert.ok(region.includes(part), part);
});
