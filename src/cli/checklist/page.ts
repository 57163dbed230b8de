/** What the service's own address answers to anyone: its page, and the public health. */
import { http, https } from "../../base/http.ts";
import { record } from "../../base/fields.ts";
import { seconds } from "../../base/units.ts";
import type { PageFacts } from "./facts.ts";

const PATIENCE = seconds(5);
const LARGEST = 4_194_304;

/** @throws Error when there is no address that speaks HTTP over TCP, or nothing answers there. */
export async function lookAtPage(urls: readonly string[]): Promise<PageFacts> {
  const first = urls.find((one) => /^https?:/.test(one));
  if (first === undefined) throw new Error(`no address of ${urls.join(", ")} speaks HTTP over TCP: look at the page, then tick it`);
  const url = first.replace("://0.0.0.0:", "://127.0.0.1:").replace("://[::]:", "://[::1]:").replace(/\/$/, "");
  const page = await get(`${url}/`);
  const health = await get(`${url}/api/admin/health`);
  return { url, page: page.status, health: health.status, shown: shownBy(health.body) };
}

function shownBy(body: string): number | null {
  try {
    const read: unknown = JSON.parse(body);
    const capacity = record(read) ? read["capacity"] : undefined;
    const percent = record(capacity) ? capacity["percent_used"] : undefined;
    return typeof percent === "number" ? percent : null;
  } catch {
    return null; // no JSON: it shows nothing
  }
}

/** Its certificate names the public name, not this address: it is checked as an item of its own. */
function get(url: string): Promise<{ readonly status: number; readonly body: string }> {
  const client = url.startsWith("https:") ? https() : http;
  const options = { agent: false, timeout: PATIENCE, rejectUnauthorized: false, headers: { "user-agent": "drover-checklist" } };
  return new Promise((resolve, reject) => {
    const req = client.get(url, options, (res) => {
      let body = "";
      res.setEncoding("utf8");
      res.on("data", (chunk: string) => (body = body.length < LARGEST ? body + chunk : body));
      res.on("error", reject);
      res.on("end", () => resolve({ status: res.statusCode ?? 0, body }));
    });
    req.on("timeout", () => req.destroy(new Error(`${url} does not answer within ${PATIENCE / 1_000} s`)));
    req.on("error", reject);
  });
}
