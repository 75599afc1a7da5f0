-- forwardauth for HAProxy: asks the service about a request, and does what it says.
--
--   lua-load-per-thread forwardauth.lua
--   http-request lua.forwardauth abns@forwardauth
--   http-request deny deny_status 503 unless { var(txn.forwardauth_passed) -m bool }
--
-- The argument is where haproxy.cfg listens for these questions and hands them to the
-- service. Works with HAProxy 2.6 and newer, whose `core.httpclient` waits without
-- blocking anybody else.
--
-- Law: `txn.forwardauth_passed` is set as the very last thing, after a 200 with all four
-- identity headers. HAProxy goes on to the next rule when a script fails, so the rule
-- after this one has to deny whatever was not passed.

local VERIFY = "http://forwardauth/verify/haproxy"
-- Longer than `timeout server` of the backend, whose 504 is an answer: HAProxy asks again,
-- three times, when this one has passed first.
local TIMEOUT_MILLISECONDS = 15000

-- To the application. The service always sends all four, empty when unknown.
local IDENTITY = { "remote-user", "remote-groups", "remote-name", "remote-email" }

-- What the service reads of the browser's own words. DANGER: without the lines that begin
-- with `sec-fetch-` a foreign page can sign people out.
local ASKED = {
    "accept",
    "accept-language",
    "access-control-request-method",
    "authorization",
    "cookie",
    "origin",
    "purpose",
    "referer",
    "sec-fetch-dest",
    "sec-fetch-mode",
    "sec-fetch-site",
    "sec-fetch-user",
    "sec-purpose",
    "user-agent",
    "x-moz",
    "x-purpose",
    "x-requested-with",
}

-- What belongs to the connection with the service, or is counted anew.
local HOP_BY_HOP = {
    ["connection"] = true,
    ["content-length"] = true,
    ["keep-alive"] = true,
    ["transfer-encoding"] = true,
}

-- HAProxy counts header lines from 0.
local function lines_of(values)
    local lines = {}
    for index = 0, #values do
        lines[#lines + 1] = values[index]
    end
    return lines
end

-- The question: four headers that are HAProxy's own word, the address of the client, and
-- what the browser says of itself, line by line.
local function question(txn)
    local said = txn.http:req_get_headers()
    local headers = {
        ["x-forwarded-method"] = { txn.sf:method() },
        ["x-forwarded-proto"] = { txn.f:ssl_fc() == 1 and "https" or "http" },
        ["x-forwarded-host"] = lines_of(said["host"] or {}),
        ["x-forwarded-uri"] = { txn.sf:pathq() },
        ["x-forwarded-for"] = { txn.sf:src() },
    }
    for _, name in ipairs(ASKED) do
        if said[name] then
            headers[name] = lines_of(said[name])
        end
    end
    return headers
end

-- The denial goes to the browser as it is: status, body and each line, so that several
-- cookies stay several.
local function relay(txn, answer)
    local reply = txn:reply({ status = answer.status })
    for name, values in pairs(answer.headers) do
        if not HOP_BY_HOP[name] then
            for _, line in ipairs(lines_of(values)) do
                reply:add_header(name, line)
            end
        end
    end
    if txn.sf:method() ~= "HEAD" then
        reply:set_body(answer.body)
    end
    txn:done(reply)
end

core.register_action("forwardauth", { "http-req" }, function(txn, address)
    local answer = core.httpclient():get({
        url = VERIFY,
        dst = address,
        headers = question(txn),
        timeout = TIMEOUT_MILLISECONDS,
    })
    -- A status of 0 is no answer at all, and 2xx but 200 is none of ours.
    if not answer or answer.status < 200 or (answer.status > 200 and answer.status < 300) then
        return
    end
    if answer.status ~= 200 then
        relay(txn, answer)
        return
    end
    for _, name in ipairs(IDENTITY) do
        local lines = lines_of(answer.headers[name] or {})
        if #lines ~= 1 then
            return
        end
        txn.http:req_set_header(name, lines[1])
    end
    txn:set_var("txn.forwardauth_passed", true)
end, 1)
