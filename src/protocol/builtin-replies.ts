/** Reply types of the commands that are used most. Types only. */

/** RESP2, and RESP3 where {@link BuiltinReplies3} does not differ. */
export interface BuiltinReplies {
  APPEND: number
  DBSIZE: number
  DECR: number
  DECRBY: number
  DEL: number
  ECHO: string
  EXISTS: number
  EXPIRE: number
  EXPIREAT: number
  FLUSHALL: "OK"
  FLUSHDB: "OK"
  GET: string | null
  GETDEL: string | null
  GETEX: string | null
  GETRANGE: string
  GETSET: string | null
  HDEL: number
  HEXISTS: number
  HGET: string | null
  HGETALL: string[]
  HINCRBY: number
  HINCRBYFLOAT: string
  HKEYS: string[]
  HLEN: number
  HMGET: (string | null)[]
  HSET: number
  HSETNX: number
  HVALS: string[]
  INCR: number
  INCRBY: number
  INCRBYFLOAT: string
  KEYS: string[]
  LINDEX: string | null
  LLEN: number
  LPUSH: number
  LPUSHX: number
  LRANGE: string[]
  LREM: number
  LSET: "OK"
  LTRIM: "OK"
  MGET: (string | null)[]
  MSET: "OK"
  MSETNX: number
  MULTI: "OK"
  PERSIST: number
  PEXPIRE: number
  PSETEX: "OK"
  PTTL: number
  PUBLISH: number
  RENAME: "OK"
  RENAMENX: number
  RPUSH: number
  RPUSHX: number
  SADD: number
  SCARD: number
  SETEX: "OK"
  SETNX: number
  SISMEMBER: number
  SMEMBERS: string[]
  SREM: number
  STRLEN: number
  TTL: number
  TYPE: string
  UNLINK: number
  UNWATCH: "OK"
  WATCH: "OK"
  XADD: string | null
  XLEN: number
  ZCARD: number
  ZREM: number
  ZSCORE: string | null
}

/** RESP3, where it differs. */
export interface BuiltinReplies3 {
  HGETALL: Map<string, string>
  SMEMBERS: Set<string>
  ZSCORE: number | null
}
