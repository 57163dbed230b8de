/** `drover emit cloudwatch`: the alarms of the internet-scale notes, corrected. */
import { fillTemplate, type Artefact } from "./artefact.ts";
import { alarmAt, NAME_OPTION, nameOf, RESERVED } from "./cloud.ts";

const FILE = "drover-alarms.yaml";

/** One alarm of CloudWatch. https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-resource-cloudwatch-alarm.html */
interface Alarm {
  readonly id: string;
  readonly says: string;
  readonly namespace: string;
  readonly metric: string;
  /** Values may hold ${Parameters}. */
  readonly dimensions: Readonly<Record<string, string>>;
  /** `p95` is an extended statistic. */
  readonly statistic: "p95" | "Average" | "Maximum" | "Sum";
  /** Minutes, each of which must be beyond it. */
  readonly periods: number;
  readonly above: number | { readonly parameter: string };
}

const API = { ApiName: "${Name}", Stage: "${StageName}" };
const FUNCTION = { FunctionName: "${Name}" };

const alarms = (latencyMs: number, minutes: number): readonly Alarm[] => [
  {
    id: "ApiHighLatency",
    says: `95 % of the answers take up to more than ${latencyMs} ms`,
    namespace: "AWS/ApiGateway",
    metric: "Latency",
    dimensions: API,
    statistic: "p95",
    periods: minutes,
    above: latencyMs,
  },
  {
    id: "ApiErrors",
    says: "More than 1 % of the answers are 5xx",
    namespace: "AWS/ApiGateway",
    metric: "5XXError",
    dimensions: API,
    statistic: "Average", // of 0 and 1 per request: the share
    periods: 3,
    above: 0.01,
  },
  {
    id: "ApiRefused",
    says: "More than 5 % of the answers are 4xx: throttled (429), or a client is broken",
    namespace: "AWS/ApiGateway",
    metric: "4XXError",
    dimensions: API,
    statistic: "Average",
    periods: 3,
    above: 0.05,
  },
  {
    id: "LambdaHighConcurrency",
    says: "90 % of the reserved executions are in use",
    namespace: "AWS/Lambda",
    metric: "ConcurrentExecutions",
    dimensions: FUNCTION,
    statistic: "Maximum",
    periods: 2,
    above: { parameter: "ConcurrencyThreshold" },
  },
  {
    id: "LambdaThrottles",
    says: "Lambda refuses calls: the concurrency is used up",
    namespace: "AWS/Lambda",
    metric: "Throttles",
    dimensions: FUNCTION,
    statistic: "Sum",
    periods: 1,
    above: 0,
  },
  {
    id: "LambdaErrors",
    says: "Calls end with an error",
    namespace: "AWS/Lambda",
    metric: "Errors",
    dimensions: FUNCTION,
    statistic: "Sum",
    periods: 3,
    above: 0,
  },
  {
    id: "LambdaSpillover",
    says: "Calls start cold: the provisioned concurrency is used up",
    namespace: "AWS/Lambda",
    metric: "ProvisionedConcurrencySpilloverInvocations",
    dimensions: { ...FUNCTION, Resource: "${Name}:live" },
    statistic: "Sum",
    periods: 3,
    above: 0,
  },
  ...["feeds", "likes"].flatMap((table) =>
    (["Read", "Write"] as const).map((kind): Alarm => ({
      id: `${table === "feeds" ? "Feeds" : "Likes"}${kind}Throttles`,
      says: `DynamoDB throttles ${kind.toLowerCase()}s of ${table}`,
      namespace: "AWS/DynamoDB",
      metric: `${kind}ThrottleEvents`,
      dimensions: { TableName: `\${Name}-${table}` },
      statistic: "Sum",
      periods: 2,
      above: 0,
    })),
  ),
];

export const cloudwatch: Artefact = {
  name: "cloudwatch",
  does: "drover-alarms.yaml: CloudWatch alarms (CloudFormation)",
  options: [NAME_OPTION],
  files(facts, options) {
    const { alert_latency: latency, alert_latency_for: lasting } = facts.settings;
    const all = alarms(latency, Math.max(1, Math.ceil(lasting / 60_000)));
    const text = fillTemplate("cloudwatch.yaml", "cloudwatch", facts, {
      NAME: nameOf(options),
      CONCURRENCY: String(alarmAt(RESERVED)),
      ALARMS: all.flatMap(resource),
    });
    return [{ path: FILE, text }];
  },
  next: ([path = FILE]) =>
    `Check with: cfn-lint ${path}\nIt was not run here. drover emit deploy-100k writes the script that deploys it.\n`,
};

function resource({ id, says, namespace, metric, dimensions, statistic, periods, above }: Alarm): string[] {
  return [
    `  ${id}:`,
    "    Type: AWS::CloudWatch::Alarm",
    "    Properties:",
    `      AlarmDescription: "${says}"`,
    `      Namespace: ${namespace}`,
    `      MetricName: ${metric}`,
    "      Dimensions:",
    ...Object.entries(dimensions).flatMap(([name, value]) => [
      `        - Name: ${name}`,
      "          Value:",
      `            Fn::Sub: "${value}"`,
    ]),
    `      ${statistic === "p95" ? "ExtendedStatistic" : "Statistic"}: ${statistic}`,
    "      Period: 60",
    `      EvaluationPeriods: ${periods}`,
    ...(typeof above === "number" ? [`      Threshold: ${above}`] : ["      Threshold:", `        Ref: ${above.parameter}`]),
    "      ComparisonOperator: GreaterThanThreshold",
    "      TreatMissingData: notBreaching",
    "      AlarmActions:",
    "        - Ref: Topic",
  ];
}
