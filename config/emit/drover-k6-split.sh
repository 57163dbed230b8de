<%
if (split) {
  const bound = (part) => (part === 0 ? "0" : part === Number(split) ? "1" : `${part}/${split}`);
  const parts = Array.from({ length: Number(split) }, (_, i) => i + 1);
-%>
#!/bin/sh
# <%= writtenBy %>
# One line per machine; start all of them within the same second. Each runs its part of the stages in drover-k6.js.
# Copy drover-k6.js to each machine, then run there: BASE_URL=<%= url %> sh drover-k6-split.sh NUMBER   (1 to <%= split %>)
# Up to <%= peak %> users (or requests a second) in all, for <%= seconds %> s: the stages in the script say so, which `--vus N` alone does not.
# Thresholds are evaluated per machine, on that machine's part of the answers.
set -eu
cd "$(dirname "$0")"
case "${1:-}" in
<% for (const part of parts) { -%>
<%= part %>) exec k6 run --execution-segment "<%= bound(part - 1) %>:<%= bound(part) %>" --execution-segment-sequence "<%= [0, ...parts].map(bound).join(",") %>" -e BASE_URL="${BASE_URL:-<%= url %>}" drover-k6.js ;;
<% } -%>
*) echo "usage: sh $0 NUMBER (1 to <%= split %>)" >&2; exit 64 ;;
esac
<% } -%>
