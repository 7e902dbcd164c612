#!/bin/sh
# Drives the simulated portal with the vendor's JavaScript SDK. Ends with the status of the tests; it
# stops only the portal it started, by closing that portal's standard input.
set -eu
cd "$(dirname "$0")"

dir=$(mktemp -d)
portal=
finish() {
	exec 3>&- || true
	[ -z "$portal" ] || wait "$portal" || true
	rm -rf "$dir"
}
trap finish EXIT

timeout 60 npm ci --silent
go build -o "$dir/serve" ./serve

mkfifo "$dir/stdin"
"$dir/serve" -cert "$dir/cert.pem" <"$dir/stdin" >"$dir/address" &
portal=$!
exec 3>"$dir/stdin"
tries=0
until [ -s "$dir/address" ]; do
	tries=$((tries + 1))
	[ "$tries" -le 50 ] || { echo "the portal did not start" >&2; exit 1; }
	sleep 0.1
done

BITRIXTEST_WEBHOOK=$(cat "$dir/address") NODE_EXTRA_CA_CERTS="$dir/cert.pem" \
	timeout 80 node --test
