/** The first message of a child: who it is, and the part of the plan that its role needs. */
import { join } from "node:path";
import { limitRules } from "../app/limits/rules.ts";
import { brokerConfig } from "../broker/config.ts";
import type { LogTarget } from "../base/log.ts";
import type { Role } from "../base/protocol.ts";
import { ms } from "../base/units.ts";
import { emulatorConfig } from "../tools/emulator/config.ts";
import { socketDirectory } from "../master/shell/shortpath.ts";
import type { Listener } from "../master/shell/listeners.ts";
import { beatInterval } from "../settings/check.ts";
import type { Settings } from "../settings/table.ts";
import { workerConfig, type TlsConfig } from "../worker/config.ts";
import type { Configure } from "./child-port.ts";
import type { WorkerServices } from "./tables-service.ts";
import { adminSocket } from "./places.ts";
import { emulatorDir, emulatorKey, SAMPLE_DIR, SAMPLE_ID, type Plan } from "./plan.ts";

/** The one path at which workers find whichever broker is in charge. */
export const brokerSocket = (settings: Settings): string => join(socketDirectory(settings.run_dir), "broker.sock");

export interface Situation {
  readonly listeners: readonly Listener[];
  readonly emulatorUrl: string | undefined;
}

export function configureMessage(role: Role, slot: number, plan: Plan, situation: Situation): Configure {
  const { settings, generation } = plan;
  return {
    type: "configure",
    role,
    slot,
    generation,
    masterPid: process.pid,
    beatEvery: ms(beatInterval(settings.timeout)),
    addresses: situation.listeners.map((listener) => listener.address),
    config: roleConfig(role, { ...plan, settings: { ...plan.settings, log_file: childTarget(plan.settings) } }, situation),
  };
}

/** A child's own standard output is a pipe to the master; the master's comes as descriptor 4. */
const childTarget = ({ log_file: target }: Settings): LogTarget => ("fd" in target ? { fd: 4 } : target);

/** What of the certificate workers need. */
function tlsOf({ certificate }: Plan): TlsConfig | undefined {
  if (certificate === undefined) return undefined;
  const { cert, key, ticketKeys } = certificate;
  return { cert, key, ticketKeys };
}

function roleConfig(role: Role, plan: Plan, { emulatorUrl }: Situation): unknown {
  const { settings } = plan;
  switch (role) {
    case "worker": {
      const extras: WorkerServices = {
        brokerSocket: brokerSocket(settings),
        brokerTimeout: settings.broker_timeout,
        spreadsheet: plan.spreadsheetId !== undefined,
        staticDir: settings.static_dir ?? null,
        reconnect: settings.reconnect,
        sessions: {
          keys: plan.sessionKeys(),
          idle: settings.session_idle,
          lifetime: settings.session_lifetime,
          noun: settings.slot_noun,
        },
        limits: limitRules(settings),
        admin: { socket: adminSocket(settings.run_dir), hosts: settings.admin_hosts, here: settings.admin_bind === undefined },
      };
      return workerConfig(settings, { app: plan.app ?? null, demo: plan.demo, tls: tlsOf(plan), extras: { ...extras } });
    }
    case "broker":
      return brokerConfig(settings, {
        spreadsheetId: plan.spreadsheetId ?? "",
        keyFile: plan.keyFile,
        sheetsEndpoint: plan.sheetsEndpoint,
        oauthEndpoint: plan.oauthEndpoint,
        tablesFile: plan.tablesFile,
        sessionKeys: plan.sessionKeys(),
        socket: brokerSocket(settings),
      });
    case "emulator":
      return emulatorConfig(settings, {
        adminToken: settings.emulator_token ?? null,
        dataDir: emulatorDir(settings),
        keyFile: emulatorKey(settings),
        sampleDir: SAMPLE_DIR,
        spreadsheetId: SAMPLE_ID,
        url: emulatorUrl ?? "",
      });
  }
}
