-- For wrk: posts the lines of a file one after the other, and prints what it measured as a line of JSON.
-- wrk ... -s load.lua URL -- PATH CONTENT_TYPE FILE

local requests, next_one = {}, 0

function init(arguments)
    local headers = { ["content-type"] = arguments[2], ["accept"] = "application/json" }
    for line in io.lines(arguments[3]) do
        requests[#requests + 1] = wrk.format("POST", arguments[1], headers, line)
    end
end

function request()
    next_one = next_one % #requests + 1
    return requests[next_one]
end

function done(summary, latency, _)
    local errors = summary.errors
    local failed = errors.connect + errors.read + errors.write + errors.status + errors.timeout
    io.write(string.format(
        '{"requests": %d, "seconds": %f, "failed": %d, "p50_us": %d, "p90_us": %d, "p99_us": %d}\n',
        summary.requests, summary.duration / 1e6, failed,
        latency:percentile(50), latency:percentile(90), latency:percentile(99)
    ))
end
