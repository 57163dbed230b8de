/**
 * What the five source documents ask for, row by row. D0: 100 users at once behind Gunicorn; D1: why 9 synchronous workers fail;
 * D2: 100,000 users; D3: the traffic of a launch; D4: slots, alerts and the dashboard. A row's first digit is its document's.
 */

export interface Row {
  readonly nr: string;
  /** What the document says, shortened. */
  readonly asks: string;
}

const row = (nr: string, asks: string): Row => ({ nr, asks });

export const ROWS: readonly Row[] = [
  row("0.1", "A host of 4 vCPU, 20 GB of memory, 1,000 GB of disk"),
  row("0.2", "Before: 9 synchronous workers, a cache of 5 s, fails at 10 people"),
  row("0.3", "After: 16 workers (4 CPUs × 4) of 1,000 connections, 200–500 users"),
  row("0.4", "Cache 5 → 30 s, timeout 60 → 120 s"),
  row("0.5", "`GUNICORN_WORKERS`, `GUNICORN_WORKER_CLASS`, `GUNICORN_WORKER_CONNECTIONS`, `GUNICORN_TIMEOUT`, `SHEET_CACHE_TTL`"),
  row("0.6", "gevent, venv, pip, requirements.txt"),
  row("0.7", "A deploy script: copy `.env`, restart the service"),
  row("0.8", "A systemd unit with its environment"),
  row("0.9", "`tail -f` of the log, `ps aux`, `htop`, `ss -tuln`"),
  row("0.10", "`ab -n 1000 -c 10`, `-n 5000 -c 50`, `-n 10000 -c 100`"),
  row("0.11", "CPU ≤ 80 %, 100–150 MB a worker, login below 500 ms, no 503"),
  row("0.12", "A cache of 300 s if there are still problems"),
  row("0.13", "Sessions in Redis: `SESSION_TYPE=redis`, `SESSION_REDIS=…`"),
  row("0.14", "nginx in front: static files, headers, a cache of 10 s"),
  row("0.15", "32 workers on 20 GB"),
  row("0.16", "100 requests a minute per address"),
  row("0.17", "Google's quota: 300 reads a minute per project"),
  row("0.18", "Test with 10, 50, 100 users; capacity 10–15 → 200–500"),
  row("1.1", "Google answers in 500–2,000 ms; the hundredth user times out"),
  row("1.2", "One call instead of six, 99 % of the answers from the cache"),
  row("1.3", "9 requests/s of capacity under 10 requests/s of load"),
  row("1.4", "Two caches (players, sheet), before and after side by side"),
  row("1.5", "Bandwidth: 50 KB a login, 10 KB a request, 100–200 KB an image"),
  row("1.6", "`test_load.sh`: 5, 10, 25, 50, 100, 200 users"),
  row("1.7", "Passed: below 500 ms, no 503, no timeout, CPU < 80 %, memory < 50 %"),
  row("1.8", "If not: TTL 60, 32 workers, Redis, nginx, batches, a pool"),
  row("1.9", "Tuning costs nothing, a larger machine 20–50 € a month"),
  row("1.10", "100 users are 30–50 % of the capacity, 200 60–80 %, 500 the limit"),
  row("1.11", "Deploy, test, real users, watch"),
  row("2.1", "Measured: 50, 500, 2,000 and 5,000 virtual users"),
  row("2.2", "100,000 users × 1 request/s, peaks × 3"),
  row("2.3", "API Gateway: 100,000/s, burst 200,000, cache of 60 s"),
  row("2.4", "Lambda: 10,000 at once, reserved and provisioned concurrency"),
  row("2.5", "DynamoDB and DAX in place of the spreadsheet"),
  row("2.6", "CloudFront in front, with a managed cache policy"),
  row("2.7", "Three regions of 33,000 users each"),
  row("2.8", "20,300 $ a month"),
  row("2.9", "`deploy-100k-scale.sh`"),
  row("2.10", "Alarms: latency (average > 500), concurrency > 18,000"),
  row("2.11", "A checklist of eight items before production"),
  row("2.12", "k6: 100,000 virtual users from four machines"),
  row("3.1", "10,000 users in 24 h: 3 % at once, 15 % in 1 h, 50 % in 4 h"),
  row("3.2", "Personas: manager 10 actions/h, marketing 5 actions/h"),
  row("3.3", "Scenarios: create a client in 2 min, view data in 1 min"),
  row("3.4", "0 → 300 users in 10 min, 30 min, and down in 5 min; 60/30/10 read, write, export"),
  row("3.5", "The profile as JSON"),
  row("3.6", "3 × t3.large, RDS t3.large, Redis t3.medium"),
  row("3.7", "Cache, pages, indexes, compression"),
  row("3.8", "Watch: response time, error rate, CPU and memory, active connections"),
  row("3.9", "Phases of 10k, 50k and 100k users"),
  row("4.1", "`MAX_CONCURRENT_BOTS=200` and the other six limits"),
  row("4.2", "2 GB → 50, 4 → 150, 8 → 300, 16 → 500 slots"),
  row("4.3", "LOW, HEALTHY, WARNING, FULL at 50, 80 and 100 %"),
  row("4.4", "503 “Serveur complet (200/200 …). Réessaie dans quelques minutes.”"),
  row("4.5", "`GET /api/admin/capacity` and its JSON"),
  row("4.6", "The dashboard: “Active: 150 / 200 (75.0 %)”, fresh every 5 s"),
  row("4.7", "Configured in code, by environment, by `.env`, by the machine"),
  row("4.8", "Scale when CPU > 70 % or memory > 80 %, regularly above 160 or 180"),
  row("4.9", "50, 100, 150, 200 slots on days 1, 3, 7, 14, unless the machine is loaded"),
  row("4.10", "Alerts at 160, 190 and 200"),
  row("4.11", "An external monitor on `/api/admin/health`"),
  row("4.12", "“Full” at 150 of 200: slots that nobody uses any more"),
  row("4.13", "Slow at 100 of 200: the machine is too small"),
  row("4.14", "Refused at 50 of 200: look into the log"),
  row("4.15", "Checklists before, during and after the launch"),
];

/** Rows that no test proves yet, and what they wait for. */
export const OPEN: Readonly<Record<string, string>> = {};
