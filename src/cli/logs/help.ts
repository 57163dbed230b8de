/** What `drover logs --help` says of them. */
export const LOGS_HELP: readonly (readonly [string, string])[] = [
  ["--level LEVEL", "this and graver: trace, debug, info, warn, error, fatal"],
  ["--worker SLOT", "lines of this worker, and the master's about it"],
  ["--request ID", "lines that name this request (X-Request-Id)"],
  ["--since TIME", "30m, 2h, or 2026-11-21T08:00Z; with the rotated file before, where it reaches back"],
  ["-n, --lines N", "so many of those that are there (50; with --since all)"],
  ["--json", "as they are: for jq"],
  ["-f, --follow", "go on as lines come (so it is without a flag)"],
  ["--no-follow", "end after the last line"],
];
