-- wrk: DEPTH requests in one write, and the result as one line of JSON, in microseconds. With an INTERVAL each connection waits
-- that many milliseconds before its next write, on average: wrk knows no rate, but so many connections and such an interval make one.
--   wrk … -s wrk.lua URL -- DEPTH [INTERVAL]
init = function(arguments)
  batch = string.rep(wrk.format(), tonumber(arguments[1]))
  local interval = tonumber(arguments[2])
  if interval then
    delay = function() return math.floor(2 * interval * math.random() + 0.5) end
  end
end

request = function() return batch end

done = function(summary, latency)
  local errors = summary.errors
  print(string.format('{"requests": %d, "seconds": %f, "errors": %d, "p50": %f, "p99": %f, "p99.9": %f}',
    summary.requests, summary.duration / 1e6, errors.connect + errors.read + errors.write + errors.status + errors.timeout,
    latency:percentile(50), latency:percentile(99), latency:percentile(99.9)))
end
