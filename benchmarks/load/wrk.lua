-- wrk prints two digits: the percentiles as it has them, in microseconds, and what went wrong.
function done(summary, latency)
  local e = summary.errors
  io.write(string.format("told %f %f %d\n", latency:percentile(50), latency:percentile(99),
    e.connect + e.read + e.write + e.status + e.timeout))
end
