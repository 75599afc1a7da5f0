-- For wrk: sends the requests of a file in turn, and prints what came of it as JSON.
-- The file holds whole requests, each followed by a NUL. Where a request holds the byte 1,
-- a number is sent instead that has not been sent before.

local heads, tails, count, last, sent = {}, {}, 0, 0, 0

function init(args)
   local file = assert(io.open(args[1], "rb"))
   local text = file:read("*a")
   file:close()
   -- Two runs against one server do not send the same numbers.
   math.randomseed(os.time())
   sent = math.random(1, 8) * 100000000
   local from = 1
   while true do
      local stop = text:find("\0", from, true)
      if not stop then break end
      count = count + 1
      local whole = text:sub(from, stop - 1)
      local place = whole:find("\1", 1, true)
      heads[count] = whole:sub(1, (place or 0) - 1)
      if place then tails[count] = whole:sub(place + 1) end
      from = stop + 1
   end
end

function request()
   last = last % count + 1
   local tail = tails[last]
   if not tail then return heads[last] end
   sent = sent + 1
   return heads[last] .. sent .. tail
end

function done(summary, latency)
   local errors = summary.errors
   print(string.format(
      'RESULT {"requests": %d, "micros": %d, "refused": %d, "failed": %d, "p99": %d}',
      summary.requests, summary.duration, errors.status,
      errors.connect + errors.read + errors.write + errors.timeout,
      latency:percentile(99)))
end
