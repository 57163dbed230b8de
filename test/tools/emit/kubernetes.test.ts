/** `drover emit kubernetes`, held to the field names that the Kubernetes API publishes. */
import assert from "node:assert/strict";
import { join } from "node:path";
import test from "node:test";
import { variableOf, type AnySetting } from "../../../src/settings/setting.ts";
import { SETTINGS } from "../../../src/settings/table.ts";
import { parseYaml, type Yaml } from "../../container/yaml.ts";
import { needs } from "../../support/needs.ts";
import { filesOf, inFolder, runs, sample, textOf } from "./emitted.ts";

/**
 * Fields of the types that the file uses (https://kubernetes.io/docs/reference/kubernetes-api/, v1.32). `[]`: a list of that type,
 * `*`: any names, "": a word or a list of words.
 */
const TYPES: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  ConfigMap: {
    apiVersion: "",
    kind: "",
    metadata: "ObjectMeta",
    data: "*",
    binaryData: "*",
    immutable: "",
  },
  PersistentVolumeClaim: {
    apiVersion: "",
    kind: "",
    metadata: "ObjectMeta",
    spec: "PersistentVolumeClaimSpec",
  },
  Deployment: { apiVersion: "", kind: "", metadata: "ObjectMeta", spec: "DeploymentSpec" },
  Service: { apiVersion: "", kind: "", metadata: "ObjectMeta", spec: "ServiceSpec" },
  PodDisruptionBudget: {
    apiVersion: "",
    kind: "",
    metadata: "ObjectMeta",
    spec: "PodDisruptionBudgetSpec",
  },
  ObjectMeta: { name: "", namespace: "", labels: "*", annotations: "*" },
  LabelSelector: { matchLabels: "*" },
  PersistentVolumeClaimSpec: {
    accessModes: "",
    resources: "Resources",
    storageClassName: "",
    volumeMode: "",
  },
  Resources: { requests: "*", limits: "*" },
  DeploymentSpec: {
    replicas: "",
    strategy: "DeploymentStrategy",
    selector: "LabelSelector",
    template: "PodTemplateSpec",
    minReadySeconds: "",
    revisionHistoryLimit: "",
    progressDeadlineSeconds: "",
  },
  DeploymentStrategy: { type: "" },
  PodTemplateSpec: { metadata: "ObjectMeta", spec: "PodSpec" },
  PodSpec: {
    automountServiceAccountToken: "",
    enableServiceLinks: "",
    terminationGracePeriodSeconds: "",
    securityContext: "PodSecurityContext",
    containers: "Container[]",
    volumes: "Volume[]",
  },
  PodSecurityContext: {
    runAsNonRoot: "",
    runAsUser: "",
    runAsGroup: "",
    fsGroup: "",
    fsGroupChangePolicy: "",
    seccompProfile: "SeccompProfile",
  },
  SeccompProfile: { type: "", localhostProfile: "" },
  Container: {
    name: "",
    image: "",
    ports: "ContainerPort[]",
    envFrom: "EnvFromSource[]",
    resources: "Resources",
    securityContext: "SecurityContext",
    startupProbe: "Probe",
    readinessProbe: "Probe",
    livenessProbe: "Probe",
    lifecycle: "Lifecycle",
    volumeMounts: "VolumeMount[]",
  },
  ContainerPort: { name: "", containerPort: "", protocol: "" },
  EnvFromSource: { configMapRef: "Reference", secretRef: "Reference", prefix: "" },
  Reference: { name: "", optional: "" },
  SecurityContext: {
    allowPrivilegeEscalation: "",
    readOnlyRootFilesystem: "",
    capabilities: "Capabilities",
  },
  Capabilities: { drop: "", add: "" },
  Probe: {
    httpGet: "HTTPGetAction",
    tcpSocket: "TCPSocketAction",
    exec: "ExecAction",
    periodSeconds: "",
    timeoutSeconds: "",
    failureThreshold: "",
    initialDelaySeconds: "",
  },
  HTTPGetAction: { path: "", port: "", host: "", scheme: "" },
  TCPSocketAction: { port: "", host: "" },
  ExecAction: { command: "" },
  Lifecycle: { preStop: "LifecycleHandler", postStart: "LifecycleHandler" },
  LifecycleHandler: { exec: "ExecAction" },
  VolumeMount: { name: "", mountPath: "", readOnly: "", subPath: "" },
  Volume: {
    name: "",
    persistentVolumeClaim: "ClaimSource",
    emptyDir: "EmptyDirSource",
    configMap: "ConfigMapSource",
    secret: "SecretSource",
  },
  ClaimSource: { claimName: "", readOnly: "" },
  EmptyDirSource: { medium: "", sizeLimit: "" },
  ConfigMapSource: { name: "", optional: "", defaultMode: "" },
  SecretSource: { secretName: "", optional: "", defaultMode: "" },
  ServiceSpec: { type: "", selector: "*", ports: "ServicePort[]" },
  ServicePort: { name: "", port: "", targetPort: "", protocol: "" },
  PodDisruptionBudgetSpec: { maxUnavailable: "", minAvailable: "", selector: "LabelSelector" },
};
const VERSIONS: Readonly<Record<string, string>> = {
  ConfigMap: "v1",
  PersistentVolumeClaim: "v1",
  Deployment: "apps/v1",
  Service: "v1",
  PodDisruptionBudget: "policy/v1",
};

type Fields = { readonly [name: string]: Yaml };
const fields = (value: Yaml | undefined): Fields =>
  typeof value === "object" && !Array.isArray(value)
    ? value
    : assert.fail(`expected fields, not ${JSON.stringify(value)}`);

function unknownFields(value: Yaml, type: string, place: string): string[] {
  if (type === "*") return [];
  if (type === "")
    return typeof value === "string" ||
      (Array.isArray(value) && value.every((one) => typeof one === "string"))
      ? []
      : [place];
  if (type.endsWith("[]"))
    return (value as Yaml[]).flatMap((one, i) =>
      unknownFields(one, type.slice(0, -2), `${place}[${i}]`),
    );
  return Object.entries(fields(value)).flatMap(([name, inner]) => {
    const known = TYPES[type]?.[name];
    return known === undefined
      ? [`${place}.${name}`]
      : unknownFields(inner, known, `${place}.${name}`);
  });
}

const kindOf = ({ kind }: Fields): string =>
  typeof kind === "string" ? kind : assert.fail("no kind");
const objects = (text: string): readonly Fields[] =>
  text.split(/^---$/m).map((one) => fields(parseYaml(one)));
const ofKind = (all: readonly Fields[], kind: string): Fields =>
  all.find((one) => kindOf(one) === kind) ?? assert.fail(kind);
/** The value at a path such as `spec.template.spec`, lists by their index. */
const at = (value: Yaml, path: string): Yaml =>
  path
    .split(".")
    .reduce<Yaml>(
      (inner, name) => (inner as Record<string, Yaml>)[name] ?? assert.fail(`${path}: no ${name}`),
      value,
    );

const GIVEN = sample({
  graceful_timeout: "45s",
  boot_timeout: "90s",
  spreadsheet_id: "x".repeat(30),
  cache_ttl: "45s",
  demo: "off",
});

test("3.9: kubernetes: every field is one that the API publishes", () => {
  const all = objects(textOf("kubernetes", {}, { given: GIVEN }));
  assert.deepEqual(
    all.map((one) => [one["kind"], one["apiVersion"]]),
    Object.entries(VERSIONS),
  );
  assert.deepEqual(
    all.flatMap((one) => unknownFields(one, kindOf(one), kindOf(one))),
    [],
  );
});

test("3.9: kubernetes: one replica that stops before the next one starts, and a drain that is never cut off", () => {
  const all = objects(textOf("kubernetes", {}, { given: GIVEN }));
  const { spec } = ofKind(all, "Deployment");
  const pod = at(spec as Yaml, "template.spec");
  assert.deepEqual(
    [at(spec as Yaml, "replicas"), at(spec as Yaml, "strategy.type")],
    ["1", "Recreate"],
  );
  assert.equal(
    at(pod, "terminationGracePeriodSeconds"),
    "60",
    "preStop 5 s, graceful timeout 45 s, margin 10 s",
  );
  assert.deepEqual(at(pod, "containers.0.lifecycle.preStop.exec.command"), ["sleep", "5"]);
  assert.equal(at(pod, "containers.0.readinessProbe.httpGet.path"), "/healthz");
  assert.deepEqual(at(pod, "containers.0.livenessProbe.exec.command"), ["drover", "status"]);
  const [tries, period] = ["failureThreshold", "periodSeconds"].map((name) =>
    Number(at(pod, `containers.0.startupProbe.${name}`)),
  );
  assert.ok(Number(tries) * Number(period) >= 90, "the boot timeout");
  assert.equal(
    at(ofKind(all, "PodDisruptionBudget"), "spec.maxUnavailable"),
    "1",
    "minAvailable: 1 would block every drain of a node",
  );
  assert.equal(
    at(pod, "enableServiceLinks"),
    "false",
    "DROVER_PORT of a service called drover would be an unknown setting",
  );
});

test("3.9: kubernetes: no root, no writable root file system, and the one volume", () => {
  const pod = at(ofKind(objects(textOf("kubernetes")), "Deployment"), "spec.template.spec");
  assert.deepEqual(
    ["runAsNonRoot", "runAsUser", "fsGroup"].map((name) => at(pod, `securityContext.${name}`)),
    ["true", "10001", "10001"],
  );
  const container = at(pod, "containers.0.securityContext");
  assert.deepEqual(container, {
    allowPrivilegeEscalation: "false",
    readOnlyRootFilesystem: "true",
    capabilities: { drop: ["ALL"] },
  });
  const mounts = (at(pod, "containers.0.volumeMounts") as Fields[]).map(({ name }) => name);
  assert.deepEqual(
    mounts,
    (at(pod, "volumes") as Fields[]).map(({ name }) => name),
  );
});

test("3.9: kubernetes: settings of this installation go along, secrets and paths do not", () => {
  const secret = "k".repeat(40);
  const given = sample({
    cache_ttl: "45s",
    daily_quota: "500",
    time_zone: "Europe/Paris",
    admin_token: secret,
    tables: "/srv/here/tables.json",
    alert_command: "/srv/here/alert",
  });
  const text = textOf("kubernetes", {}, { given });
  const data = fields(ofKind(objects(text), "ConfigMap")["data"]);
  assert.equal(data["DROVER_CACHE_TTL"], "45s");
  assert.equal(data["DROVER_TABLES"], "/etc/drover/tables.json");
  assert.equal(data["DROVER_WORKERS"], "8");
  assert.equal(data["DROVER_TIME_ZONE"], "Europe/Paris", "a pod's own zone is UTC");
  assert.ok(!text.includes(secret) && !text.includes("/srv/here"));
  assert.match(text, /# DROVER_ADMIN_TOKEN is set/);
  const rows: readonly AnySetting[] = SETTINGS;
  for (const [name, value] of Object.entries(data)) {
    const row =
      rows.find((one) => variableOf(one) === name) ?? assert.fail(`${name} is no setting`);
    assert.ok(
      typeof value === "string" && row.codec.parse(value, "/").ok,
      `${name}=${JSON.stringify(value)}`,
    );
  }
});

test("kubernetes: values that would break the file are refused", () => {
  for (const options of [
    { name: "Drover" },
    { name: "a\nb" },
    { image: "x; reboot" },
    { storage: "1" },
  ])
    assert.throws(() => filesOf("kubernetes", options), /expected/);
});

test(
  "3.9: kubectl knows every field of the deployment",
  { skip: needs("kubectl", "kubernetes-client") },
  (t) => {
    const file = join(inFolder(t, "kubernetes", {}, GIVEN), "kubernetes.yaml");
    const deployment = ofKind(objects(textOf("kubernetes", {}, { given: GIVEN })), "Deployment");
    // It decodes into the API's own types, which drops unknown fields, and exits with 1 because the other objects have no pods.
    const known = runs("sh", [
      "-c",
      `kubectl set env --local --filename "$1" --output json CHECKED=1 2>/dev/null || true`,
      "sh",
      file,
    ]);
    const decoded = JSON.parse(known) as Fields;
    const lost = (ours: Yaml, theirs: unknown, place: string): string[] => {
      if (typeof ours === "string") return theirs === undefined ? [place] : [];
      const inner = Object.entries(ours);
      return inner.flatMap(([name, value]) =>
        lost(value, (theirs as Record<string, unknown> | undefined)?.[name], `${place}.${name}`),
      );
    };
    assert.deepEqual(lost(deployment, decoded, "Deployment"), []);
  },
);
