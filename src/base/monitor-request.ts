/** Which requests for the health come from an external monitor, such as UptimeRobot. */

/** The route that a monitor should ask. */
export const MONITORED = "/api/admin/health";

/** Words in the user agents of services and programs that watch from outside. */
const MONITORS =
  /uptime|pingdom|statuscake|hetrix|site24x7|updown|nodeping|freshping|better ?stack|checkly|datadog|newrelic|monitor|blackbox|healthcheck|health_check|pulsetic|cronitor/i;

/**
 * Whether a request comes from a monitor: by its user agent, or because it came from another machine.
 * @param address of the client, as far as trusted proxies name it; `unix` or `unknown` is none.
 */
export function isMonitorRequest(address: string, userAgent: string | undefined): boolean {
  if (userAgent?.startsWith("drover")) return false; // our own commands
  if (userAgent !== undefined && MONITORS.test(userAgent)) return true;
  return /[.:]/.test(address) && !/^(?:::ffff:)?127\.|^::1$/i.test(address);
}
