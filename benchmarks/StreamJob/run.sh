#!/usr/bin/env bash
# run.sh [EVENTS [DAYS]]: our stream job, Flink and Kafka Streams (with Redis) and the consume-only floors on one topic of one real Kafka, one
# after the other; prints their lines of JSON, our read-out checked against a naive recomputation, and the ratios. Defaults: 30000000 90.
# Needs ../shared (Kafka, peers: Java 17) beside the repository and redis-server. ROUNDS (default 1) repeats the runs; ONLY="ours" leaves peers out.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
shared=${STREAMML_SHARED:-$(cd "$root/../shared" && pwd)}
count=${1:-30000000}
export BENCH_DAYS=${2:-90} PEERS_WARM=${PEERS_WARM:-0.5}
only=${ONLY:-ours flink kafka-streams consume}
dir=${BENCH_DIR:-$(mktemp -d)}
mkdir -p "$dir"
redis_port=$(( 21000 + RANDOM % 8000 ))
cleanup() {
  redis-cli -p "$redis_port" shutdown nosave >/dev/null 2>&1 || true
  "$shared/kafka/kafka" stop "$dir/kafka" >/dev/null 2>&1 || true
  [[ -n ${BENCH_DIR:-} ]] || rm -rf "$dir"
}
trap cleanup EXIT

dotnet build "$root/benchmarks" -c Release -v q -nologo -clp:ErrorsOnly >&2
ours=(dotnet "$root/benchmarks/bin/Release/net10.0/StreamMl.Benchmarks.dll" stream)
redis-server --port "$redis_port" --save '' --appendonly no --dir "$dir" --daemonize yes --pidfile "$dir/redis.pid" >/dev/null
boot=$("$shared/kafka/kafka" start "$dir/kafka" 1 group.initial.rebalance.delay.ms=1000)
if [[ ! -f $dir/produced ]]; then
  "$shared/peers/bench-topic/run.sh" produce "$boot" "$count" >&2
  touch "$dir/produced"
fi
export PEERS_SERVERS="$(cat "$dir/kafka/1/pid") $(cat "$dir/redis.pid")"

lines=()
run() { echo "# $*" >&2; local line; line=$("$@" | grep '^{' | tail -1); echo "$line"; lines+=("$line"); }
fresh() { redis-cli -p "$redis_port" flushall >/dev/null; }
for ((round = 0; round < ${ROUNDS:-1}; round++)); do
  for who in $only; do
    fresh
    case $who in
      ours)
        run "${ours[@]}" "$boot" "$count" "127.0.0.1:$redis_port"
        [[ -n ${NO_VERIFY:-} ]] || "${ours[@]}" verify "$boot" "$count" "127.0.0.1:$redis_port" ;;
      flink) run "$shared/peers/flink/run.sh" "$boot" "$count" redis="$redis_port" ;;
      kafka-streams) run "$shared/peers/kafka-streams/run.sh" "$boot" "$count" commit=1000 guarantee=exactly_once_v2 redis="$redis_port" ;;
      consume)
        run "${ours[@]}" consume "$boot" "$count"
        run "${ours[@]}" consume "$boot" "$count" managed ;;
    esac
  done
done
printf '%s\n' "${lines[@]}" | awk '
  { match($0, /"run":"[^"]*"/); name = substr($0, RSTART + 7, RLENGTH - 8)
    rate[name] = value("eventsPerSecond"); cpu[name] = value("cpuSecondsPerMillion"); rss[name] = value("peakRssMiB"); other[name] = value("otherCores"); order[++n] = name }
  function value(key,  s) { match($0, "\"" key "\":[0-9.]+"); s = substr($0, RSTART, RLENGTH); sub(/.*:/, "", s); return s + 0 }
  END {
    printf "%-28s %12s %14s %9s %10s %10s %10s\n", "run", "events/s", "CPU s/million", "RSS MiB", "others", "ours/its", "its CPU"
    for (i = 1; i <= n; i++) { r = order[i]
      printf "%-28s %12d %14.3f %9d %10.2f %9.2fx %9.2fx\n", r, rate[r], cpu[r], rss[r], other[r], rate["streamml"] / rate[r], cpu["streamml"] / cpu[r] }
  }'
