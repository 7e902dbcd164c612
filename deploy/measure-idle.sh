#!/usr/bin/env bash
# Measures the program with one project and nothing to do: the time from its start until
# /readyz says 200, and its resident memory ten seconds later. Five runs, on loopback, in
# a temporary folder; fsync is on, as in production. Needs bin/ringbridge (make build).
set -euo pipefail
cd "$(dirname "$0")/.."
dir=$(mktemp -d)
pid=
trap '[ -z "$pid" ] || kill "$pid" 2>/dev/null || true; rm -rf "$dir"' EXIT

port=${PORT:-18099}
cat >"$dir/idle.yaml" <<YAML
listen: 127.0.0.1:$port
data: $dir/data
log: {level: warn}
console: {token: token-of-the-measurement}
projects:
  - id: shop
    ringostat: {token: hook-of-the-measurement}
    bitrix24: {webhook: "http://127.0.0.1:9/rest/1/secret/", allow_insecure: true}
    senior: 1
    employees: [{name: Olena Koval, code: "101", bitrix_user: 7}]
YAML

ready() { # answers the status of /readyz
	exec 3<>"/dev/tcp/127.0.0.1/$port" || return 1
	printf 'GET /readyz HTTP/1.0\r\n\r\n' >&3
	local line
	read -r line <&3 || true
	exec 3>&-
	[[ $line == *" 200 "* ]]
}

for run in 1 2 3 4 5; do
	from=$(date +%s%N)
	bin/ringbridge run --config "$dir/idle.yaml" 2>"$dir/log" &
	pid=$!
	until ready 2>/dev/null; do
		kill -0 "$pid" 2>/dev/null || { cat "$dir/log" >&2; exit 1; }
	done
	took=$((($(date +%s%N) - from) / 1000000))
	sleep 10
	memory=$(awk '/^VmRSS/ {print int($2 / 1024)}' "/proc/$pid/status")
	kill -TERM "$pid"
	wait "$pid"
	pid=
	echo "run $run: ready after $took ms, $memory MiB resident"
done
