"""The steps of the Redis store, each one script, so that nothing comes in between.

``redis_keys`` explains the keys. Times to live are durations, so no two clocks are ever
compared.

Law: each script may be sent twice. A repeated one, whose first answer was lost, changes
nothing more and answers the same; only ``TOUCH`` then says that nothing changed.
"""

import hashlib
from dataclasses import dataclass, field
from typing import Final

from forwardauth.sessions.stores.redis_keys import FIELDS, ROW_HEAD_BYTES

_FIELD_LIST: Final = ", ".join(f"'{name}'" for name in FIELDS)

PREPARED_MS: Final = 60_000
"""How long a session that is being created is kept; one create takes three answers."""

CLAIMED_MS: Final = 10_000
"""How long the answer to ``END`` is kept, for the same call to ask again."""


@dataclass(frozen=True, slots=True)
class Script:
    """A Lua script, and the name that the server knows it by."""

    text: str
    sha1: str = field(init=False)

    def __post_init__(self) -> None:
        """Compute the name, as the server does; it is no safeguard."""
        sha1 = hashlib.sha1(self.text.encode(), usedforsecurity=False)
        object.__setattr__(self, "sha1", sha1.hexdigest())


PREPARE: Final = Script(
    f"""
    -- KEYS: prepared.  ARGV: fields and values.
    redis.call('HSET', KEYS[1], unpack(ARGV))
    redis.call('PEXPIRE', KEYS[1], {PREPARED_MS})
    return 1
    """
)

ACTIVATE: Final = Script(
    """
    -- KEYS: prepared, session, expiries.  ARGV: ticket, digest, expires, ttl.
    -- 1: the session lives.  0: it was ended before it lived.  -1: digest in use.
    local ticket = redis.call('HGET', KEYS[2], 'ticket')
    if ticket then
        return ticket == ARGV[1] and 1 or -1
    end
    if redis.call('EXISTS', KEYS[1]) == 0 then
        return 0
    end
    redis.call('RENAME', KEYS[1], KEYS[2])
    redis.call('PEXPIRE', KEYS[2], ARGV[4])
    redis.call('ZADD', KEYS[3], ARGV[3], ARGV[2])
    if redis.call('PTTL', KEYS[3]) < tonumber(ARGV[4]) then
        redis.call('PEXPIRE', KEYS[3], ARGV[4])
    end
    return 1
    """
)

TOUCH: Final = Script(
    """
    -- KEYS: session, expiries.  ARGV: ticket, digest, seen, expires, ttl.
    local kept = redis.call('HMGET', KEYS[1], 'ticket', 'seen', 'expires')
    local seen = tonumber(ARGV[3])
    if kept[1] ~= ARGV[1] or tonumber(kept[2]) >= seen or tonumber(kept[3]) <= seen then
        return 0
    end
    redis.call('HSET', KEYS[1], 'seen', ARGV[3], 'expires', ARGV[4])
    redis.call('PEXPIRE', KEYS[1], ARGV[5])
    redis.call('ZADD', KEYS[2], ARGV[4], ARGV[2])
    if redis.call('PTTL', KEYS[2]) < tonumber(ARGV[5]) then
        redis.call('PEXPIRE', KEYS[2], ARGV[5])
    end
    return 1
    """
)

END: Final = Script(
    f"""
    -- KEYS: session, expiries, claim, prepared.  ARGV: digest, ticket or nothing.
    -- The session is renamed away, so this very call can be answered again.
    if redis.call('EXISTS', KEYS[3]) == 0 then
        redis.call('DEL', KEYS[4])
        local ticket = redis.call('HGET', KEYS[1], 'ticket')
        if not ticket or (ARGV[2] ~= '' and ARGV[2] ~= ticket) then
            return false
        end
        redis.call('RENAME', KEYS[1], KEYS[3])
        redis.call('PEXPIRE', KEYS[3], {CLAIMED_MS})
        redis.call('ZREM', KEYS[2], ARGV[1])
    end
    return redis.call('HMGET', KEYS[3], {_FIELD_LIST})
    """
)

FORGET: Final = Script(
    """
    -- KEYS: session, expiries.  ARGV: digest.
    -- The session went with its time to live; its row in the expiries is left.
    if redis.call('EXISTS', KEYS[1]) == 0 then
        redis.call('ZREM', KEYS[2], ARGV[1])
    end
    return 1
    """
)

KEEP: Final = Script(
    """
    -- KEYS: index.  ARGV: row, ttl, 'add' or nothing.
    -- Makes the row, or lets it last longer; a doomed one stays doomed. Rows whose time
    -- is over go on the way: their sessions went before them.
    local time = redis.call('TIME')
    local now = time[1] * 1000 + math.floor(time[2] / 1000)
    redis.call('ZREMRANGEBYSCORE', KEYS[1], -now, now)
    local kept = redis.call('ZSCORE', KEYS[1], ARGV[1])
    if not kept and ARGV[3] ~= 'add' then
        return 0
    end
    local score = now + ARGV[2]
    if kept then
        kept = tonumber(kept)
        score = math.max(score, math.abs(kept)) * (kept < 0 and -1 or 1)
    end
    redis.call('ZADD', KEYS[1], score, ARGV[1])
    if redis.call('PTTL', KEYS[1]) < tonumber(ARGV[2]) then
        redis.call('PEXPIRE', KEYS[1], ARGV[2])
    end
    return 1
    """
)

DOOM: Final = Script(
    f"""
    -- KEYS: index.  ARGV: the login to keep, or nothing.
    -- Dooms every other row and returns them all, those doomed before too.
    local doomed = {{}}
    local rows = redis.call('ZRANGE', KEYS[1], 0, -1, 'WITHSCORES')
    for i = 1, #rows, 2 do
        local login = string.sub(rows[i], {ROW_HEAD_BYTES + 1})
        if not ARGV[1] or login ~= ARGV[1] then
            redis.call('ZADD', KEYS[1], -math.abs(rows[i + 1]), rows[i])
            doomed[#doomed + 1] = rows[i]
        end
    end
    return doomed
    """
)

APPEND: Final = Script(
    """
    -- KEYS: list.  ARGV: row, how many to keep, time to live.
    if redis.call('LINDEX', KEYS[1], 0) ~= ARGV[1] then
        redis.call('LPUSH', KEYS[1], ARGV[1])
        redis.call('LTRIM', KEYS[1], 0, ARGV[2] - 1)
        redis.call('PEXPIRE', KEYS[1], ARGV[3])
    end
    return 1
    """
)

PING: Final = Script(
    """
    -- KEYS: any.  Writes and reads, with a script, as everything here does.
    redis.call('SET', KEYS[1], '1', 'PX', 1000)
    return redis.call('GET', KEYS[1])
    """
)
