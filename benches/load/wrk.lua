-- wrk: DEPTH requests in one write, and the result as one line of JSON, in microseconds.
--   wrk … -s wrk.lua URL -- DEPTH
init = function(arguments)
  batch = string.rep(wrk.format(), tonumber(arguments[1]))
end

request = function() return batch end

done = function(summary, latency)
  local errors = summary.errors
  print(string.format('{"requests": %d, "seconds": %f, "errors": %d, "p50": %f, "p99": %f, "p99.9": %f}',
    summary.requests, summary.duration / 1e6, errors.connect + errors.read + errors.write + errors.status + errors.timeout,
    latency:percentile(50), latency:percentile(99), latency:percentile(99.9)))
end
