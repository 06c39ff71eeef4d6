# shellcheck shell=bash disable=SC2154  # who sources it sets the rest
# What tests/compose/run and tests/swarm/run have in common: events under load, how they are judged, and what is told. They set
#   client            an array: what to put before a command to have it run as another host; or nothing
#   hosts             an array: the addresses that are asked under load, all at the same time
#   port, rate        where, and how many requests a second each of them gets
#   after_seconds     how long the load goes on when the event is over

# A client that came this late to a request of its own can't tell who was late with the answer.
lag_max_ms=500
load_limit_seconds=900

wrong=0 busy=0 table="" again=""
log=$(mktemp)

# Runs a command under load, which begins two seconds before. Each load ends when its input does, and they have one in common.
event() { # name, command …
  local name=$1 host results sent refused failed pace slowest median most last lag
  local -A body
  shift
  for host in "${hosts[@]}"; do body[$host]=$(ask "$host" / | cut -d ' ' -f 4); done
  results=$(mktemp -d)
  { sleep 2; tell "$@"; sleep "$after_seconds"; } | {
    for host in "${hosts[@]}"; do
      load "$host" "${body[$host]}" --rate "$rate" --limit "$load_limit_seconds" <&0 >"$results/$host" &
    done
    wait
  }
  read -r sent refused failed pace slowest median most last lag < <(cat "$results"/* | awk '
    { sent += $1; refused += $3; failed += $4; pace += $5; if (!slowest || $5 < slowest) slowest = $5
      if ($6 > median) median = $6; if ($7 > most) most = $7; if ($8 > last) last = $8; if ($9 > lag) lag = $9 }
    END { print sent, refused, failed, pace, slowest, median, most, last, lag }')
  rm -r "$results"
  failed=$((refused + failed))
  table+=$'\n'"$name|$sent|$failed|$pace|$median|$most|$last"
  expect "$name: it went well" "" "$(cat "$log")"
  if [ -n "${loses:-}" ]; then
    expect "$name: some of $sent requests fail" yes "$([ "$failed" -gt 0 ] && echo yes)"
  elif { [ "$failed" = 0 ] && [ "$slowest" -ge $((rate * 97 / 100)) ]; } || judged "$name: $failed of $sent failed" "$lag" "$slowest"; then
    expect "$name: none of $sent requests fails" 0 "$failed"
  fi
}

# Whether the client had enough of the machine for its word to count. Else the verdict is TOO BUSY.
judged() { # what, the client's worst delay in ms, requests a second
  if [ "$2" -le "$lag_max_ms" ] && [ "$3" -ge $((rate * 97 / 100)) ]; then return 0; fi
  busy=$((busy + 1))
  keep "TOO BUSY: $1; the client was late by up to $2 ms, and sent $3 of $rate requests a second"
  return 1
}

# Leaves in the log what went wrong, or nothing.
tell() { # command …
  if "$@" >"$log" 2>&1 </dev/null; then : >"$log"; else echo "exit code $?" >>"$log"; fi
}

# What each path says of who asks, with forged fields. Without another host, the address can't be known here.
seen() { # host, what to call it
  local forged=('Forwarded: for=6.6.6.6;proto=https' 'Forwarded: for="6.6.6.6' 'X-Forwarded-For: 6.6.6.6' 'X_Forwarded_For: 6.6.6.6' 'X-Real-IP: 6.6.6.6')
  local path from from_port content
  for path in / /source-port /x-forwarded-for; do
    read -r from from_port _ content < <(ask "$1" "$path" "${forged[@]}")
    if [ "${#client[@]}" = 0 ]; then
      expect "$path over $2 for the Docker host, with forged fields: not what was forged" "" "$(grep -F 6.6.6.6 <<<"$content")"
    elif [ "$path" = /source-port ]; then
      expect "$path over $2, with forged fields" "$from_port" "$content"
    else
      expect "$path over $2, with forged fields" "$from" "$content"
    fi
  done
  [ "${#client[@]}" != 0 ] || not_run "true addresses over $2: no other host to ask from was named"
}

load() { "${client[@]}" python3 tests/compose/client.py load "$1" "$port" "${@:2}"; } # host, body, options

ask() { "${client[@]}" python3 tests/compose/client.py ask "$1" "$port" "${@:2}"; } # host, path, fields …

# Asks until the answer is the one hoped for, but not for ever, and prints the last answer.
patience_seconds=30
patiently() { # command, hoped for
  local answer deadline=$((SECONDS + patience_seconds))
  while answer=$($1 2>/dev/null) || true; [ "$answer" != "$2" ] && [ $SECONDS -lt $deadline ]; do sleep 0.1; done
  echo "$answer"
}

expect() { # what, expected, actual
  if [ "$2" = "$3" ]; then echo "ok    $1"; return; fi
  wrong=$((wrong + 1))
  keep "WRONG $1"$'\n'"      expected: ${2//$'\n'/ }"$'\n'"      actual:   ${3//$'\n'/ }"
}

# Says it, and once more at the end: of a long log often only that is kept.
keep() { again+="$1"$'\n'; echo "$1"; }

not_run() { echo "NOT RUN: $*"; }

# The last word, and the exit code: 0, 1 when something was wrong, 75 when nothing was wrong but something TOO BUSY.
verdict() {
  echo
  [ -z "$table" ] || column -t -s '|' <<<"event|sent|failed|per second|median ms|99.9% ms|last ms$table"
  [ -z "$again" ] || printf '\n%s' "$again"
  [ "$wrong" = 0 ] || { echo "FAILED: $wrong of the above"; exit 1; }
  [ "$busy" = 0 ] || { echo "TOO BUSY: $busy of the above could not be judged on this machine now"; exit 75; }
}
