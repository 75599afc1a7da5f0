-- For wrk: sends the requests of a file in turn, and prints what came of it as JSON.
-- The file holds whole requests, each followed by a NUL.

local requests, count, last = {}, 0, 0

function init(args)
   local file = assert(io.open(args[1], "rb"))
   local text = file:read("*a")
   file:close()
   local from = 1
   while true do
      local stop = text:find("\0", from, true)
      if not stop then break end
      count = count + 1
      requests[count] = text:sub(from, stop - 1)
      from = stop + 1
   end
end

function request()
   last = last % count + 1
   return requests[last]
end

function done(summary, latency)
   local errors = summary.errors
   print(string.format(
      'RESULT {"requests": %d, "micros": %d, "refused": %d, "failed": %d, "p99": %d}',
      summary.requests, summary.duration, errors.status,
      errors.connect + errors.read + errors.write + errors.timeout,
      latency:percentile(99)))
end
