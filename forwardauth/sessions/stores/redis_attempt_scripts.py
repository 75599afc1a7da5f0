"""The two steps of an attempt on Redis, each one script: let in, and settled.

They do what ``attempts.judge`` does, step for step. ``redis_attempts`` explains keys.
"""

from typing import Final

from forwardauth.attempts.known import ENTRY_BYTES
from forwardauth.attempts.store import KEY_BYTES, Result
from forwardauth.sessions.stores.redis_scripts import Script

_EVICTED_SHARE: Final = 100
_FORGOTTEN_AT_ONCE: Final = 200

_BOOK: Final = f"""
    -- KEYS: hash and sorted set of account, address, own, known.
    -- ARGV: now or nothing, capacity, known for, addresses, account, address, own; then
    -- for each table: free, interval, first wait, longest wait, most.
    local now = tonumber(ARGV[1])
    if not now then
        local time = redis.call('TIME')
        now = time[1] * 1000 + math.floor(time[2] / 1000)
    end
    local capacity, known_for = tonumber(ARGV[2]), tonumber(ARGV[3])
    local account, address, own = ARGV[5], ARGV[6], ARGV[7]
    local function limit(number)
        local at = 3 + 5 * number
        return {{
            number = number,
            free = tonumber(ARGV[at]), interval = tonumber(ARGV[at + 1]),
            first = tonumber(ARGV[at + 2]), longest = tonumber(ARGV[at + 3]),
            most = tonumber(ARGV[at + 4])
        }}
    end
    local function text(number)
        return string.format('%.0f', number)
    end
    local function wait_after(limit, failures)
        local beyond = failures - limit.free
        if beyond <= 0 then
            return 0
        end
        local doublings = math.min(beyond, limit.most) - 1
        return math.min(limit.first * 2 ^ doublings, limit.longest)
    end
    local function prolong(number, ms)
        for i = 2 * number - 1, 2 * number do
            if redis.call('PTTL', KEYS[i]) < ms then
                redis.call('PEXPIRE', KEYS[i], text(ms))
            end
        end
    end
    local function remove(number, keys)
        for _, key in ipairs(keys) do
            redis.call('HDEL', KEYS[2 * number - 1], key)
            redis.call('ZREM', KEYS[2 * number], key)
        end
    end
    local function make_room(number, before)
        local index = KEYS[2 * number]
        remove(number, redis.call('ZRANGEBYSCORE', index, '-inf', text(before),
            'LIMIT', 0, {_FORGOTTEN_AT_ONCE}))
        local count = redis.call('ZCARD', index)
        if count >= capacity then
            local share = math.max(math.floor(capacity / {_EVICTED_SHARE}), 1)
            local last = math.min(count - capacity + share, {_FORGOTTEN_AT_ONCE}) - 1
            remove(number, redis.call('ZRANGE', index, 0, last))
        end
    end
    -- The bucket as it is now, and the time until which it was to wait; or nothing.
    local function lookup(limit, key)
        local kept = redis.call('HGET', KEYS[2 * limit.number - 1], key) or ''
        local failures, dripped, till = string.match(kept, '^(%d+) (%d+) (%d+)$')
        if not failures then
            return nil
        end
        failures, dripped, till = tonumber(failures), tonumber(dripped), tonumber(till)
        local drops = math.max(math.floor((now - dripped) / limit.interval), 0)
        if drops >= failures then
            return nil
        end
        return {{
            failures = failures - drops,
            dripped = math.min(dripped + drops * limit.interval, now),
            till = math.min(till, now + wait_after(limit, failures))
        }}, till
    end
    local function write(limit, key, bucket)
        local number = limit.number
        if not bucket then
            remove(number, {{key}})
            return
        end
        local ends = bucket.dripped + bucket.failures * limit.interval
        if redis.call('HEXISTS', KEYS[2 * number - 1], key) == 0 then
            make_room(number, now)
        end
        redis.call('HSET', KEYS[2 * number - 1], key, text(bucket.failures) .. ' '
            .. text(bucket.dripped) .. ' ' .. text(bucket.till))
        redis.call('ZADD', KEYS[2 * number], text(ends), key)
        prolong(number, limit.most * limit.interval)
    end
    local packed = address ~= '' and redis.call('HGET', KEYS[7], account) or ''
    local entries, is_known = {{}}, false
    for at = 1, #packed, {ENTRY_BYTES} do
        local entry = string.sub(packed, at, at + {ENTRY_BYTES} - 1)
        local since = tonumber(string.sub(entry, {KEY_BYTES} + 1))
        if string.sub(entry, 1, {KEY_BYTES}) ~= address then
            entries[#entries + 1] = since and entry
        else
            is_known = since and now - since < known_for
        end
    end
    local judges
    if address == '' then
        judges = {{{{limit(1), account}}}}
    elseif is_known then
        judges = {{{{limit(3), own}}}}
    else
        judges = {{{{limit(1), account}}, {{limit(2), address}}}}
    end
"""

ADMIT: Final = Script(
    _BOOK
    + """
    local wait, found = 0, {}
    for i, judge in ipairs(judges) do
        local bucket, before = lookup(judge[1], judge[2])
        found[i] = {bucket, before}
        if bucket then
            wait = math.max(wait, bucket.till - now)
        end
    end
    for i, judge in ipairs(judges) do
        local limit, bucket = judge[1], found[i][1]
        if wait <= 0 then
            bucket = bucket or {failures = 0, dripped = now}
            bucket.failures = math.min(bucket.failures + 1, limit.most)
            bucket.till = now + wait_after(limit, bucket.failures)
            write(limit, judge[2], bucket)
        elseif bucket and bucket.till < found[i][2] then
            write(limit, judge[2], bucket)
        end
    end
    return wait
    """
)

SETTLE: Final = Script(
    _BOOK
    + f"""
    local result = ARGV[23]
    for _, judge in ipairs(judges) do
        local limit, key = judge[1], judge[2]
        local bucket = lookup(limit, key)
        if bucket then
            if result == '{Result.FAILURE}' then
                bucket.till = now + wait_after(limit, bucket.failures)
            elseif result == '{Result.SUCCESS}' and limit.number ~= 2 then
                bucket = nil
            elseif bucket.failures <= 1 then
                bucket = nil
            else
                bucket.failures, bucket.till = bucket.failures - 1, now
            end
            write(limit, key, bucket)
        end
    end
    local is_right = result == '{Result.SUCCESS}'
        or result == '{Result.REPEATED_SUCCESS}'
    if is_right and address ~= '' then
        entries[#entries + 1] = address .. string.format('%013.0f', now)
        local first = math.max(#entries - tonumber(ARGV[4]) + 1, 1)
        if redis.call('HEXISTS', KEYS[7], account) == 0 then
            make_room(4, now - known_for)
        end
        redis.call('HSET', KEYS[7], account, table.concat(entries, '', first))
        redis.call('ZADD', KEYS[8], text(now), account)
        prolong(4, known_for)
    end
    return 1
    """
)
