/**
 * Reply types of the commands that are known, and what they depend on. Types only.
 *
 * Generated from the table in facts/ by scripts/generate-commands.ts: change the table, then `npm run generate`.
 */

import type { Reply } from "./types.ts"

/**
 * A reply that depends on the number of elements of the command.
 */
export interface ByLength<Lengths, Otherwise = never> {
  lengths: Lengths
  otherwise: Otherwise
}

/**
 * A reply that depends on words among the arguments, looked for from an index on. `Words`: how many arguments belong to
 * each word, and what it stands for in `Replies`, of which the first holds whose words were all found.
 */
export interface ByWords<From, Words, Replies, Leading = false> {
  from: From
  words: Words
  replies: Replies
  /** Only until the first argument that is none of them. */
  leading: Leading
}

/** Commands of one word, under RESP2; and under RESP3 where {@link BuiltinReplies3} does not differ. */
export interface BuiltinReplies {
  /** `APPEND key value` · since 2.0.0 · string */
  APPEND: number
  /** `ASKING` · since 3.0.0 · cluster */
  ASKING: "OK"
  /** `AUTH [username] password` · since 1.0.0 · connection */
  AUTH: "OK"
  /** `BF.ADD key item` · since Redis 8.0.0 or its module · probabilistic */
  "BF.ADD": number
  /** `BF.CARD key` · since Redis 8.0.0 or its module · probabilistic */
  "BF.CARD": number
  /** `BF.EXISTS key item` · since Redis 8.0.0 or its module · probabilistic */
  "BF.EXISTS": number
  /** `BF.INFO key [field]` · since Redis 8.0.0 or its module · probabilistic */
  "BF.INFO": Reply
  /** `BF.INSERT key [CAPACITY capacity] [ERROR error] [EXPANSION expansion] [NOCREATE] [NONSCALING] ITEMS item [item …]` · since Redis 8.0.0 or its module · probabilistic */
  "BF.INSERT": Reply[]
  /** `BF.LOADCHUNK key iterator data` · since Redis 8.0.0 or its module · probabilistic */
  "BF.LOADCHUNK": "OK"
  /** `BF.MADD key item [item …]` · since Redis 8.0.0 or its module · probabilistic */
  "BF.MADD": Reply[]
  /** `BF.MEXISTS key item [item …]` · since Redis 8.0.0 or its module · probabilistic */
  "BF.MEXISTS": Reply[]
  /** `BF.RESERVE key error-rate capacity [EXPANSION expansion] [NONSCALING]` · since Redis 8.0.0 or its module · probabilistic */
  "BF.RESERVE": "OK"
  /** `BF.SCANDUMP key iterator` · since Redis 8.0.0 or its module · probabilistic */
  "BF.SCANDUMP": Reply[]
  /** `BGREWRITEAOF` · since 1.0.0 · server */
  BGREWRITEAOF: string
  /** `BGSAVE [SCHEDULE | CANCEL]` · since 1.0.0 · server */
  BGSAVE: string
  /** `BITCOUNT key [start [end [BYTE | BIT]]]` · since 2.6.0 · bitmap */
  BITCOUNT: number
  /** `BITFIELD key [GET encoding offset | [OVERFLOW <WRAP | SAT | FAIL>] <SET encoding offset value | INCRBY encoding offset increment> …]` · since 3.2.0 · bitmap */
  BITFIELD: (number | null)[]
  /** `BITFIELD_RO key [GET encoding offset …]` · since 6.0.0 · bitmap */
  BITFIELD_RO: number[]
  /** `BITOP <AND | OR | XOR | NOT | DIFF | DIFF1 | ANDOR | ONE> destkey key [key …]` · since 2.6.0 · bitmap */
  BITOP: number
  /** `BITPOS key bit [start [end [BYTE | BIT]]]` · since 2.8.7 · bitmap */
  BITPOS: number
  /** `BLMOVE source destination <LEFT | RIGHT> <LEFT | RIGHT> timeout` · since 6.2.0 · list */
  BLMOVE: string | null
  /** `BLMPOP timeout numkeys key [key …] <LEFT | RIGHT> [COUNT count]` · since 7.0.0 · list */
  BLMPOP: [string, string[]] | null
  /** `BLPOP key [key …] timeout` · since 2.0.0 · list */
  BLPOP: [string, string] | null
  /** `BRPOP key [key …] timeout` · since 2.0.0 · list */
  BRPOP: [string, string] | null
  /** `BRPOPLPUSH source destination timeout` · since 2.2.0 · list · better not in new programs */
  BRPOPLPUSH: string | null
  /** `BZMPOP timeout numkeys key [key …] <MIN | MAX> [COUNT count]` · since 7.0.0 · sorted-set */
  BZMPOP: [string, [string, string][]] | null
  /** `BZPOPMAX key [key …] timeout` · since 5.0.0 · sorted-set */
  BZPOPMAX: [string, string, string] | null
  /** `BZPOPMIN key [key …] timeout` · since 5.0.0 · sorted-set */
  BZPOPMIN: [string, string, string] | null
  /** `CF.ADD key item` · since Redis 8.0.0 or its module · probabilistic */
  "CF.ADD": number
  /** `CF.ADDNX key item` · since Redis 8.0.0 or its module · probabilistic */
  "CF.ADDNX": number
  /** `CF.COUNT key item` · since Redis 8.0.0 or its module · probabilistic */
  "CF.COUNT": number
  /** `CF.DEL key item` · since Redis 8.0.0 or its module · probabilistic */
  "CF.DEL": number
  /** `CF.EXISTS key item` · since Redis 8.0.0 or its module · probabilistic */
  "CF.EXISTS": number
  /** `CF.INFO key` · since Redis 8.0.0 or its module · probabilistic */
  "CF.INFO": Reply
  /** `CF.INSERT key [CAPACITY capacity] [NOCREATE] ITEMS item [item …]` · since Redis 8.0.0 or its module · probabilistic */
  "CF.INSERT": Reply[]
  /** `CF.INSERTNX key [CAPACITY capacity] [NOCREATE] ITEMS item [item …]` · since Redis 8.0.0 or its module · probabilistic */
  "CF.INSERTNX": Reply[]
  /** `CF.LOADCHUNK key iterator data` · since Redis 8.0.0 or its module · probabilistic */
  "CF.LOADCHUNK": "OK"
  /** `CF.MEXISTS key item [item …]` · since Redis 8.0.0 or its module · probabilistic */
  "CF.MEXISTS": Reply[]
  /** `CF.RESERVE key capacity [BUCKETSIZE size] [MAXITERATIONS count] [EXPANSION expansion]` · since Redis 8.0.0 or its module · probabilistic */
  "CF.RESERVE": "OK"
  /** `CF.SCANDUMP key iterator` · since Redis 8.0.0 or its module · probabilistic */
  "CF.SCANDUMP": Reply[]
  /** `CLUSTERSCAN cursor [MATCH pattern] [COUNT count] [TYPE type] [SLOT slot]` · since Valkey 9.1.0 · cluster */
  CLUSTERSCAN: [string, string[]]
  /** `CMS.INCRBY key item increment [item increment …]` · since Redis 8.0.0 or its module · probabilistic */
  "CMS.INCRBY": Reply[]
  /** `CMS.INFO key` · since Redis 8.0.0 or its module · probabilistic */
  "CMS.INFO": Reply
  /** `CMS.INITBYDIM key width depth` · since Redis 8.0.0 or its module · probabilistic */
  "CMS.INITBYDIM": "OK"
  /** `CMS.INITBYPROB key error probability` · since Redis 8.0.0 or its module · probabilistic */
  "CMS.INITBYPROB": "OK"
  /** `CMS.MERGE destination numkeys source [source …] [WEIGHTS weight [weight …]]` · since Redis 8.0.0 or its module · probabilistic */
  "CMS.MERGE": "OK"
  /** `CMS.QUERY key item [item …]` · since Redis 8.0.0 or its module · probabilistic */
  "CMS.QUERY": number[]
  /** `COMMAND` · since 2.8.13 · server */
  COMMAND: Reply
  /** `COPY source destination [DB destination-db] [REPLACE]` · since 6.2.0 · generic */
  COPY: number
  /** `DBSIZE` · since 1.0.0 · server */
  DBSIZE: number
  /** `DEBUG subcommand [argument …]` · since 1.0.0 · server */
  DEBUG: Reply
  /** `DECR key` · since 1.0.0 · string */
  DECR: number
  /** `DECRBY key decrement` · since 1.0.0 · string */
  DECRBY: number
  /** `DEL key [key …]` · since 1.0.0 · generic */
  DEL: number
  /** `DELEX key [IFEQ value | IFNE value | IFDEQ digest | IFDNE digest]` · since Redis 8.4.0 · string */
  DELEX: number
  /** `DELIFEQ key value` · since Valkey 9.0.0 · string */
  DELIFEQ: number
  /** `DIGEST key` · since Redis 8.4.0 · string */
  DIGEST: string | null
  /** `DISCARD` · since 2.0.0 · transactions */
  DISCARD: "OK"
  /** `DUMP key` · since 2.6.0 · generic */
  DUMP: string | null
  /** `ECHO message` · since 1.0.0 · connection */
  ECHO: string
  /** `EVAL script numkeys [key [key …]] [arg [arg …]]` · since 2.6.0 · scripting */
  EVAL: Reply
  /** `EVALSHA sha1 numkeys [key [key …]] [arg [arg …]]` · since 2.6.0 · scripting */
  EVALSHA: Reply
  /** `EVALSHA_RO sha1 numkeys [key [key …]] [arg [arg …]]` · since 7.0.0 · scripting */
  EVALSHA_RO: Reply
  /** `EVAL_RO script numkeys [key [key …]] [arg [arg …]]` · since 7.0.0 · scripting */
  EVAL_RO: Reply
  /** `EXEC` · since 1.2.0 · transactions */
  EXEC: Reply[] | null
  /** `EXISTS key [key …]` · since 1.0.0 · generic */
  EXISTS: number
  /** `EXPIRE key seconds [NX | XX | GT | LT]` · since 1.0.0 · generic */
  EXPIRE: number
  /** `EXPIREAT key unix-time-seconds [NX | XX | GT | LT]` · since 1.2.0 · generic */
  EXPIREAT: number
  /** `EXPIRETIME key` · since 7.0.0 · generic */
  EXPIRETIME: number
  /** `FAILOVER [TO host port [FORCE]] [ABORT] [TIMEOUT milliseconds]` · since 6.2.0 · server */
  FAILOVER: "OK"
  /** `FCALL function numkeys [key [key …]] [arg [arg …]]` · since 7.0.0 · scripting */
  FCALL: Reply
  /** `FCALL_RO function numkeys [key [key …]] [arg [arg …]]` · since 7.0.0 · scripting */
  FCALL_RO: Reply
  /** `FLUSHALL [ASYNC | SYNC]` · since 1.0.0 · server */
  FLUSHALL: "OK"
  /** `FLUSHDB [ASYNC | SYNC]` · since 1.0.0 · server */
  FLUSHDB: "OK"
  /** `FT.AGGREGATE index query [option …]` · since Redis 8.0.0 or its module · search */
  "FT.AGGREGATE": Reply
  /** `FT.ALIASADD alias index` · since Redis 8.0.0 or its module · search */
  "FT.ALIASADD": "OK"
  /** `FT.ALIASDEL alias` · since Redis 8.0.0 or its module · search */
  "FT.ALIASDEL": "OK"
  /** `FT.ALIASUPDATE alias index` · since Redis 8.0.0 or its module · search */
  "FT.ALIASUPDATE": "OK"
  /** `FT.ALTER index [SKIPINITIALSCAN] SCHEMA ADD attribute options …` · since Redis 8.0.0 or its module · search */
  "FT.ALTER": "OK"
  /** `FT.CONFIG <GET option | SET option value>` · since Redis 8.0.0 or its module · search */
  "FT.CONFIG": Reply
  /** `FT.CREATE index [option …] SCHEMA field type [option …]` · since Redis 8.0.0 or its module · search */
  "FT.CREATE": "OK"
  /** `FT.CURSOR <READ | DEL> index cursor-id [COUNT count]` · since Redis 8.0.0 or its module · search */
  "FT.CURSOR": Reply
  /** `FT.DICTADD dict term [term …]` · since Redis 8.0.0 or its module · search */
  "FT.DICTADD": number
  /** `FT.DICTDEL dict term [term …]` · since Redis 8.0.0 or its module · search */
  "FT.DICTDEL": number
  /** `FT.DICTDUMP dict` · since Redis 8.0.0 or its module · search */
  "FT.DICTDUMP": Reply
  /** `FT.DROPINDEX index [DD]` · since Redis 8.0.0 or its module · search */
  "FT.DROPINDEX": "OK"
  /** `FT.EXPLAIN index query [DIALECT dialect]` · since Redis 8.0.0 or its module · search */
  "FT.EXPLAIN": Reply
  /** `FT.EXPLAINCLI index query [DIALECT dialect]` · since Redis 8.0.0 or its module · search */
  "FT.EXPLAINCLI": Reply
  /** `FT.HYBRID index SEARCH query VSIM field vector [option …]` · since Redis 8.0.0 or its module · search */
  "FT.HYBRID": Reply
  /** `FT.INFO index` · since Redis 8.0.0 or its module · search */
  "FT.INFO": Reply
  /** `FT.PROFILE index <SEARCH | AGGREGATE> [LIMITED] QUERY query` · since Redis 8.0.0 or its module · search */
  "FT.PROFILE": Reply
  /** `FT.SEARCH index query [option …]` · since Redis 8.0.0 or its module · search */
  "FT.SEARCH": Reply
  /** `FT.SPELLCHECK index query [option …]` · since Redis 8.0.0 or its module · search */
  "FT.SPELLCHECK": Reply
  /** `FT.SUGADD key string score [INCR] [PAYLOAD payload]` · since Redis 8.0.0 or its module · search */
  "FT.SUGADD": number
  /** `FT.SUGDEL key string` · since Redis 8.0.0 or its module · search */
  "FT.SUGDEL": number
  /** `FT.SUGGET key prefix [FUZZY] [WITHSCORES] [WITHPAYLOADS] [MAX max]` · since Redis 8.0.0 or its module · search */
  "FT.SUGGET": Reply
  /** `FT.SUGLEN key` · since Redis 8.0.0 or its module · search */
  "FT.SUGLEN": number
  /** `FT.SYNDUMP index` · since Redis 8.0.0 or its module · search */
  "FT.SYNDUMP": Reply
  /** `FT.SYNUPDATE index group [SKIPINITIALSCAN] term [term …]` · since Redis 8.0.0 or its module · search */
  "FT.SYNUPDATE": "OK"
  /** `FT.TAGVALS index field` · since Redis 8.0.0 or its module · search */
  "FT.TAGVALS": Reply
  /** `FT._LIST` · since Redis 8.0.0 or its module · search */
  "FT._LIST": Reply
  /** `GEOADD key [NX | XX] [CH] longitude latitude member [longitude latitude member …]` · since 3.2.0 · geo */
  GEOADD: number
  /** `GEODIST key member1 member2 [m | km | ft | mi]` · since 3.2.0 · geo */
  GEODIST: string | null
  /** `GEOHASH key [member [member …]]` · since 3.2.0 · geo */
  GEOHASH: (string | null)[]
  /** `GEOPOS key [member [member …]]` · since 3.2.0 · geo */
  GEOPOS: ([string, string] | null)[]
  /** `GEORADIUS key longitude latitude radius <m | km | ft | mi> [WITHCOORD] [WITHDIST] [WITHHASH] [COUNT count [ANY]] [ASC | DESC] [STORE storekey | STOREDIST storedistkey]` · since 3.2.0 · geo · better not in new programs */
  GEORADIUS: string[] | number | [string, string, number, [string, string]][] | [string, string, [string, string]][] | [string, number, [string, string]][] | [string, string, number][] | [string, [string, string]][] | [string, string][] | [string, number][]
  /** `GEORADIUSBYMEMBER key member radius <m | km | ft | mi> [WITHCOORD] [WITHDIST] [WITHHASH] [COUNT count [ANY]] [ASC | DESC] [STORE storekey | STOREDIST storedistkey]` · since 3.2.0 · geo · better not in new programs */
  GEORADIUSBYMEMBER: string[] | number | [string, string, number, [string, string]][] | [string, string, [string, string]][] | [string, number, [string, string]][] | [string, string, number][] | [string, [string, string]][] | [string, string][] | [string, number][]
  /** `GEORADIUSBYMEMBER_RO key member radius <m | km | ft | mi> [WITHCOORD] [WITHDIST] [WITHHASH] [COUNT count [ANY]] [ASC | DESC]` · since 3.2.10 · geo · better not in new programs */
  GEORADIUSBYMEMBER_RO: string[] | [string, string, number, [string, string]][] | [string, string, [string, string]][] | [string, number, [string, string]][] | [string, string, number][] | [string, [string, string]][] | [string, string][] | [string, number][]
  /** `GEORADIUS_RO key longitude latitude radius <m | km | ft | mi> [WITHCOORD] [WITHDIST] [WITHHASH] [COUNT count [ANY]] [ASC | DESC]` · since 3.2.10 · geo · better not in new programs */
  GEORADIUS_RO: string[] | [string, string, number, [string, string]][] | [string, string, [string, string]][] | [string, number, [string, string]][] | [string, string, number][] | [string, [string, string]][] | [string, string][] | [string, number][]
  /** `GEOSEARCH key <FROMMEMBER member | FROMLONLAT longitude latitude> <BYRADIUS radius unit | BYBOX width height unit | BYPOLYGON count longitude latitude …> [ASC | DESC] [COUNT count [ANY]] [WITHCOORD] [WITHDIST] [WITHHASH]` · since 6.2.0 · geo */
  GEOSEARCH: string[] | [string, string, number, [string, string]][] | [string, string, [string, string]][] | [string, number, [string, string]][] | [string, string, number][] | [string, [string, string]][] | [string, string][] | [string, number][]
  /** `GEOSEARCHSTORE destination source <FROMMEMBER member | FROMLONLAT longitude latitude> <BYRADIUS radius unit | BYBOX width height unit | BYPOLYGON count longitude latitude …> [ASC | DESC] [COUNT count [ANY]] [STOREDIST]` · since 6.2.0 · geo */
  GEOSEARCHSTORE: number
  /** `GET key` · since 1.0.0 · string */
  GET: string | null
  /** `GETBIT key offset` · since 2.2.0 · bitmap */
  GETBIT: number
  /** `GETDEL key` · since 6.2.0 · string */
  GETDEL: string | null
  /** `GETEX key [EX seconds | PX milliseconds | EXAT unix-time-seconds | PXAT unix-time-milliseconds | PERSIST]` · since 6.2.0 · string */
  GETEX: string | null
  /** `GETRANGE key start end` · since 2.4.0 · string */
  GETRANGE: string
  /** `GETSET key value` · since 1.0.0 · string · better not in new programs */
  GETSET: string | null
  /** `HDEL key field [field …]` · since 2.0.0 · hash */
  HDEL: number
  /** `HEXISTS key field` · since 2.0.0 · hash */
  HEXISTS: number
  /** `HEXPIRE key seconds [NX | XX | GT | LT] FIELDS numfields field [field …]` · since Redis 7.4.0 · hash */
  HEXPIRE: number[]
  /** `HEXPIREAT key unix-time-seconds [NX | XX | GT | LT] FIELDS numfields field [field …]` · since Redis 7.4.0 · hash */
  HEXPIREAT: number[]
  /** `HEXPIRETIME key FIELDS numfields field [field …]` · since Redis 7.4.0 · hash */
  HEXPIRETIME: number[]
  /** `HGET key field` · since 2.0.0 · hash */
  HGET: string | null
  /** `HGETALL key` · since 2.0.0 · hash */
  HGETALL: string[]
  /** `HGETDEL key FIELDS numfields field [field …]` · since Redis 8.0.0 · hash */
  HGETDEL: (string | null)[]
  /** `HGETEX key [EX seconds | PX milliseconds | EXAT unix-time-seconds | PXAT unix-time-milliseconds | PERSIST] FIELDS numfields field [field …]` · since Redis 8.0.0 · hash */
  HGETEX: (string | null)[]
  /** `HINCRBY key field increment` · since 2.0.0 · hash */
  HINCRBY: number
  /** `HINCRBYFLOAT key field increment` · since 2.6.0 · hash */
  HINCRBYFLOAT: string
  /** `HKEYS key` · since 2.0.0 · hash */
  HKEYS: string[]
  /** `HLEN key` · since 2.0.0 · hash */
  HLEN: number
  /** `HMGET key field [field …]` · since 2.0.0 · hash */
  HMGET: (string | null)[]
  /** `HMSET key field value [field value …]` · since 2.0.0 · hash · better not in new programs */
  HMSET: "OK"
  /** `HPERSIST key FIELDS numfields field [field …]` · since Redis 7.4.0 · hash */
  HPERSIST: number[]
  /** `HPEXPIRE key milliseconds [NX | XX | GT | LT] FIELDS numfields field [field …]` · since Redis 7.4.0 · hash */
  HPEXPIRE: number[]
  /** `HPEXPIREAT key unix-time-milliseconds [NX | XX | GT | LT] FIELDS numfields field [field …]` · since Redis 7.4.0 · hash */
  HPEXPIREAT: number[]
  /** `HPEXPIRETIME key FIELDS numfields field [field …]` · since Redis 7.4.0 · hash */
  HPEXPIRETIME: number[]
  /** `HPTTL key FIELDS numfields field [field …]` · since Redis 7.4.0 · hash */
  HPTTL: number[]
  /** `HRANDFIELD key [count [WITHVALUES]]` · since 6.2.0 · hash */
  HRANDFIELD: string | string[] | null
  /** `HSCAN key cursor [MATCH pattern] [COUNT count] [NOVALUES]` · since 2.8.0 · hash */
  HSCAN: [string, string[]]
  /** `HSET key field value [field value …]` · since 2.0.0 · hash */
  HSET: number
  /** `HSETEX key [FNX | FXX] [EX seconds | PX milliseconds | EXAT unix-time-seconds | PXAT unix-time-milliseconds | KEEPTTL] FIELDS numfields field value [field value …]` · since Redis 8.0.0 · hash */
  HSETEX: number
  /** `HSETNX key field value` · since 2.0.0 · hash */
  HSETNX: number
  /** `HSTRLEN key field` · since 3.2.0 · hash */
  HSTRLEN: number
  /** `HTTL key FIELDS numfields field [field …]` · since Redis 7.4.0 · hash */
  HTTL: number[]
  /** `HVALS key` · since 2.0.0 · hash */
  HVALS: string[]
  /** `INCR key` · since 1.0.0 · string */
  INCR: number
  /** `INCRBY key increment` · since 1.0.0 · string */
  INCRBY: number
  /** `INCRBYFLOAT key increment` · since 2.6.0 · string */
  INCRBYFLOAT: string
  /** `INFO [section [section …]]` · since 1.0.0 · server */
  INFO: string
  /** `JSON.ARRAPPEND key path value [value …]` · since Redis 8.0.0 or its module · json */
  "JSON.ARRAPPEND": Reply
  /** `JSON.ARRINDEX key path value [start [stop]]` · since Redis 8.0.0 or its module · json */
  "JSON.ARRINDEX": Reply
  /** `JSON.ARRINSERT key path index value [value …]` · since Redis 8.0.0 or its module · json */
  "JSON.ARRINSERT": Reply
  /** `JSON.ARRLEN key [path]` · since Redis 8.0.0 or its module · json */
  "JSON.ARRLEN": Reply
  /** `JSON.ARRPOP key [path [index]]` · since Redis 8.0.0 or its module · json */
  "JSON.ARRPOP": Reply
  /** `JSON.ARRTRIM key path start stop` · since Redis 8.0.0 or its module · json */
  "JSON.ARRTRIM": Reply
  /** `JSON.CLEAR key [path]` · since Redis 8.0.0 or its module · json */
  "JSON.CLEAR": number
  /** `JSON.DEL key [path]` · since Redis 8.0.0 or its module · json */
  "JSON.DEL": number
  /** `JSON.FORGET key [path]` · since Redis 8.0.0 or its module · json */
  "JSON.FORGET": number
  /** `JSON.GET key [INDENT indent] [NEWLINE newline] [SPACE space] [path …]` · since Redis 8.0.0 or its module · json */
  "JSON.GET": string | null
  /** `JSON.MERGE key path value` · since Redis 8.0.0 or its module · json */
  "JSON.MERGE": "OK"
  /** `JSON.MGET key [key …] path` · since Redis 8.0.0 or its module · json */
  "JSON.MGET": (string | null)[]
  /** `JSON.MSET key path value [key path value …]` · since Redis 8.0.0 or its module · json */
  "JSON.MSET": "OK"
  /** `JSON.NUMINCRBY key path value` · since Redis 8.0.0 or its module · json */
  "JSON.NUMINCRBY": Reply
  /** `JSON.NUMMULTBY key path value` · since Redis 8.0.0 or its module · json */
  "JSON.NUMMULTBY": Reply
  /** `JSON.OBJKEYS key [path]` · since Redis 8.0.0 or its module · json */
  "JSON.OBJKEYS": Reply
  /** `JSON.OBJLEN key [path]` · since Redis 8.0.0 or its module · json */
  "JSON.OBJLEN": Reply
  /** `JSON.RESP key [path]` · since Redis 8.0.0 or its module · json */
  "JSON.RESP": Reply
  /** `JSON.SET key path value [NX | XX]` · since Redis 8.0.0 or its module · json */
  "JSON.SET": "OK" | null
  /** `JSON.STRAPPEND key [path] value` · since Redis 8.0.0 or its module · json */
  "JSON.STRAPPEND": Reply
  /** `JSON.STRLEN key [path]` · since Redis 8.0.0 or its module · json */
  "JSON.STRLEN": Reply
  /** `JSON.TOGGLE key path` · since Redis 8.0.0 or its module · json */
  "JSON.TOGGLE": Reply
  /** `JSON.TYPE key [path]` · since Redis 8.0.0 or its module · json */
  "JSON.TYPE": Reply
  /** `KEYS pattern` · since 1.0.0 · generic */
  KEYS: string[]
  /** `LASTSAVE` · since 1.0.0 · server */
  LASTSAVE: number
  /** `LCS key1 key2 [LEN] [IDX] [MINMATCHLEN min-match-len] [WITHMATCHLEN]` · since 7.0.0 · string */
  LCS: string | Reply[] | number
  /** `LINDEX key index` · since 1.0.0 · list */
  LINDEX: string | null
  /** `LINSERT key <BEFORE | AFTER> pivot element` · since 2.2.0 · list */
  LINSERT: number
  /** `LLEN key` · since 1.0.0 · list */
  LLEN: number
  /** `LMOVE source destination <LEFT | RIGHT> <LEFT | RIGHT>` · since 6.2.0 · list */
  LMOVE: string | null
  /** `LMPOP numkeys key [key …] <LEFT | RIGHT> [COUNT count]` · since 7.0.0 · list */
  LMPOP: [string, string[]] | null
  /** `LOLWUT [VERSION version]` · since 5.0.0 · server */
  LOLWUT: string
  /** `LPOP key [count]` · since 1.0.0 · list */
  LPOP: string | string[] | null
  /** `LPOS key element [RANK rank] [COUNT num-matches] [MAXLEN len]` · since 6.0.6 · list */
  LPOS: number | number[] | null
  /** `LPUSH key element [element …]` · since 1.0.0 · list */
  LPUSH: number
  /** `LPUSHX key element [element …]` · since 2.2.0 · list */
  LPUSHX: number
  /** `LRANGE key start stop` · since 1.0.0 · list */
  LRANGE: string[]
  /** `LREM key count element` · since 1.0.0 · list */
  LREM: number
  /** `LSET key index element` · since 1.0.0 · list */
  LSET: "OK"
  /** `LTRIM key start stop` · since 1.0.0 · list */
  LTRIM: "OK"
  /** `MGET key [key …]` · since 1.0.0 · string */
  MGET: (string | null)[]
  /** `MIGRATE host port <key | ""> destination-db timeout [COPY] [REPLACE] [AUTH password | AUTH2 username password] [KEYS key [key …]]` · since 2.6.0 · generic */
  MIGRATE: "OK" | "NOKEY"
  /** `MOVE key db` · since 1.0.0 · generic */
  MOVE: number
  /** `MSET key value [key value …]` · since 1.0.1 · string */
  MSET: "OK"
  /** `MSETEX numkeys key value [key value …] [NX | XX] [EX seconds | PX milliseconds | EXAT unix-time-seconds | PXAT unix-time-milliseconds | KEEPTTL]` · since Redis 8.4.0 · string */
  MSETEX: number
  /** `MSETNX key value [key value …]` · since 1.0.1 · string */
  MSETNX: number
  /** `MULTI` · since 1.2.0 · transactions */
  MULTI: "OK"
  /** `PERSIST key` · since 2.2.0 · generic */
  PERSIST: number
  /** `PEXPIRE key milliseconds [NX | XX | GT | LT]` · since 2.6.0 · generic */
  PEXPIRE: number
  /** `PEXPIREAT key unix-time-milliseconds [NX | XX | GT | LT]` · since 2.6.0 · generic */
  PEXPIREAT: number
  /** `PEXPIRETIME key` · since 7.0.0 · generic */
  PEXPIRETIME: number
  /** `PFADD key [element [element …]]` · since 2.8.9 · hyperloglog */
  PFADD: number
  /** `PFCOUNT key [key …]` · since 2.8.9 · hyperloglog */
  PFCOUNT: number
  /** `PFDEBUG subcommand key` · since 2.8.9 · hyperloglog */
  PFDEBUG: Reply
  /** `PFMERGE destkey [sourcekey [sourcekey …]]` · since 2.8.9 · hyperloglog */
  PFMERGE: "OK"
  /** `PFSELFTEST` · since 2.8.9 · hyperloglog */
  PFSELFTEST: "OK"
  /** `PING [message]` · since 1.0.0 · connection */
  PING: string
  /** `PSETEX key milliseconds value` · since 2.6.0 · string · better not in new programs */
  PSETEX: "OK"
  /** `PTTL key` · since 2.6.0 · generic */
  PTTL: number
  /** `PUBLISH channel message` · since 2.0.0 · pubsub */
  PUBLISH: number
  /** `QUIT` · since 1.0.0 · connection · better not in new programs */
  QUIT: "OK"
  /** `RANDOMKEY` · since 1.0.0 · generic */
  RANDOMKEY: string | null
  /** `READONLY` · since 3.0.0 · cluster */
  READONLY: "OK"
  /** `READWRITE` · since 3.0.0 · cluster */
  READWRITE: "OK"
  /** `RENAME key newkey` · since 1.0.0 · generic */
  RENAME: "OK"
  /** `RENAMENX key newkey` · since 1.0.0 · generic */
  RENAMENX: number
  /** `REPLICAOF <host port | NO ONE>` · since 5.0.0 · server */
  REPLICAOF: string
  /** `RESTORE key ttl serialized-value [REPLACE] [ABSTTL] [IDLETIME seconds] [FREQ frequency]` · since 2.6.0 · generic */
  RESTORE: "OK"
  /** `RESTORE-ASKING key ttl serialized-value [REPLACE] [ABSTTL] [IDLETIME seconds] [FREQ frequency]` · since 3.0.0 · server */
  "RESTORE-ASKING": "OK"
  /** `ROLE` · since 2.8.12 · server */
  ROLE: ["master", number, [string, string, string][]] | ["slave", string, number, string, number] | ["sentinel", string[]]
  /** `RPOP key [count]` · since 1.0.0 · list */
  RPOP: string | string[] | null
  /** `RPOPLPUSH source destination` · since 1.2.0 · list · better not in new programs */
  RPOPLPUSH: string | null
  /** `RPUSH key element [element …]` · since 1.0.0 · list */
  RPUSH: number
  /** `RPUSHX key element [element …]` · since 2.2.0 · list */
  RPUSHX: number
  /** `SADD key member [member …]` · since 1.0.0 · set */
  SADD: number
  /** `SAVE` · since 1.0.0 · server */
  SAVE: "OK"
  /** `SCAN cursor [MATCH pattern] [COUNT count] [TYPE type]` · since 2.8.0 · generic */
  SCAN: [string, string[]]
  /** `SCARD key` · since 1.0.0 · set */
  SCARD: number
  /** `SDIFF key [key …]` · since 1.0.0 · set */
  SDIFF: string[]
  /** `SDIFFSTORE destination key [key …]` · since 1.0.0 · set */
  SDIFFSTORE: number
  /** `SELECT index` · since 1.0.0 · connection */
  SELECT: "OK"
  /** `SET key value [NX | XX | IFEQ value | IFNE value | IFDEQ digest | IFDNE digest] [GET] [EX seconds | PX milliseconds | EXAT unix-time-seconds | PXAT unix-time-milliseconds | KEEPTTL]` · since 1.0.0 · string */
  SET: string | null
  /** `SETBIT key offset value` · since 2.2.0 · bitmap */
  SETBIT: number
  /** `SETEX key seconds value` · since 2.0.0 · string · better not in new programs */
  SETEX: "OK"
  /** `SETNX key value` · since 1.0.0 · string · better not in new programs */
  SETNX: number
  /** `SETRANGE key offset value` · since 2.2.0 · string */
  SETRANGE: number
  /** `SHUTDOWN [[NOSAVE | SAVE] [NOW] [FORCE] [SAFE] [FAILOVER] | ABORT]` · since 1.0.0 · server */
  SHUTDOWN: "OK"
  /** `SINTER key [key …]` · since 1.0.0 · set */
  SINTER: string[]
  /** `SINTERCARD numkeys key [key …] [LIMIT limit]` · since 7.0.0 · set */
  SINTERCARD: number
  /** `SINTERSTORE destination key [key …]` · since 1.0.0 · set */
  SINTERSTORE: number
  /** `SISMEMBER key member` · since 1.0.0 · set */
  SISMEMBER: number
  /** `SLAVEOF <host port | NO ONE>` · since 1.0.0 · server · better not in new programs */
  SLAVEOF: string
  /** `SMEMBERS key` · since 1.0.0 · set */
  SMEMBERS: string[]
  /** `SMISMEMBER key member [member …]` · since 6.2.0 · set */
  SMISMEMBER: number[]
  /** `SMOVE source destination member` · since 1.0.0 · set */
  SMOVE: number
  /** `SORT key [BY by-pattern] [LIMIT offset count] [GET get-pattern [GET get-pattern …]] [ASC | DESC] [ALPHA] [STORE destination]` · since 1.0.0 · generic */
  SORT: string[] | number | (string | null)[]
  /** `SORT_RO key [BY by-pattern] [LIMIT offset count] [GET get-pattern [GET get-pattern …]] [ASC | DESC] [ALPHA]` · since 7.0.0 · generic */
  SORT_RO: string[] | (string | null)[]
  /** `SPOP key [count]` · since 1.0.0 · set */
  SPOP: string | string[] | null
  /** `SPUBLISH shardchannel message` · since 7.0.0 · pubsub */
  SPUBLISH: number
  /** `SRANDMEMBER key [count]` · since 1.0.0 · set */
  SRANDMEMBER: string | string[] | null
  /** `SREM key member [member …]` · since 1.0.0 · set */
  SREM: number
  /** `SSCAN key cursor [MATCH pattern] [COUNT count]` · since 2.8.0 · set */
  SSCAN: [string, string[]]
  /** `STRLEN key` · since 2.2.0 · string */
  STRLEN: number
  /** `SUBSTR key start end` · since 1.0.0 · string · better not in new programs */
  SUBSTR: string
  /** `SUNION key [key …]` · since 1.0.0 · set */
  SUNION: string[]
  /** `SUNIONSTORE destination key [key …]` · since 1.0.0 · set */
  SUNIONSTORE: number
  /** `SWAPDB index1 index2` · since 4.0.0 · server */
  SWAPDB: "OK"
  /** `TDIGEST.ADD key value [value …]` · since Redis 8.0.0 or its module · probabilistic */
  "TDIGEST.ADD": "OK"
  /** `TDIGEST.BYRANK key rank [rank …]` · since Redis 8.0.0 or its module · probabilistic */
  "TDIGEST.BYRANK": Reply[]
  /** `TDIGEST.BYREVRANK key rank [rank …]` · since Redis 8.0.0 or its module · probabilistic */
  "TDIGEST.BYREVRANK": Reply[]
  /** `TDIGEST.CDF key value [value …]` · since Redis 8.0.0 or its module · probabilistic */
  "TDIGEST.CDF": Reply[]
  /** `TDIGEST.CREATE key [COMPRESSION compression]` · since Redis 8.0.0 or its module · probabilistic */
  "TDIGEST.CREATE": "OK"
  /** `TDIGEST.INFO key` · since Redis 8.0.0 or its module · probabilistic */
  "TDIGEST.INFO": Reply
  /** `TDIGEST.MAX key` · since Redis 8.0.0 or its module · probabilistic */
  "TDIGEST.MAX": Reply
  /** `TDIGEST.MERGE destination numkeys source [source …] [COMPRESSION compression] [OVERRIDE]` · since Redis 8.0.0 or its module · probabilistic */
  "TDIGEST.MERGE": "OK"
  /** `TDIGEST.MIN key` · since Redis 8.0.0 or its module · probabilistic */
  "TDIGEST.MIN": Reply
  /** `TDIGEST.QUANTILE key quantile [quantile …]` · since Redis 8.0.0 or its module · probabilistic */
  "TDIGEST.QUANTILE": Reply[]
  /** `TDIGEST.RANK key value [value …]` · since Redis 8.0.0 or its module · probabilistic */
  "TDIGEST.RANK": number[]
  /** `TDIGEST.RESET key` · since Redis 8.0.0 or its module · probabilistic */
  "TDIGEST.RESET": "OK"
  /** `TDIGEST.REVRANK key value [value …]` · since Redis 8.0.0 or its module · probabilistic */
  "TDIGEST.REVRANK": number[]
  /** `TDIGEST.TRIMMED_MEAN key low-cut-quantile high-cut-quantile` · since Redis 8.0.0 or its module · probabilistic */
  "TDIGEST.TRIMMED_MEAN": Reply
  /** `TIME` · since 2.6.0 · server */
  TIME: [string, string]
  /** `TOPK.ADD key item [item …]` · since Redis 8.0.0 or its module · probabilistic */
  "TOPK.ADD": (string | null)[]
  /** `TOPK.COUNT key item [item …]` · since Redis 8.0.0 or its module · probabilistic */
  "TOPK.COUNT": number[]
  /** `TOPK.INCRBY key item increment [item increment …]` · since Redis 8.0.0 or its module · probabilistic */
  "TOPK.INCRBY": (string | null)[]
  /** `TOPK.INFO key` · since Redis 8.0.0 or its module · probabilistic */
  "TOPK.INFO": Reply
  /** `TOPK.LIST key [WITHCOUNT]` · since Redis 8.0.0 or its module · probabilistic */
  "TOPK.LIST": Reply[]
  /** `TOPK.QUERY key item [item …]` · since Redis 8.0.0 or its module · probabilistic */
  "TOPK.QUERY": Reply[]
  /** `TOPK.RESERVE key topk [width depth decay]` · since Redis 8.0.0 or its module · probabilistic */
  "TOPK.RESERVE": "OK"
  /** `TOUCH key [key …]` · since 3.2.1 · generic */
  TOUCH: number
  /** `TRIMSLOTS RANGES numranges startslot endslot [startslot endslot …]` · since Redis 8.4.0 · cluster */
  TRIMSLOTS: Reply
  /** `TS.ADD key timestamp value [option …]` · since Redis 8.0.0 or its module · time-series */
  "TS.ADD": number
  /** `TS.ALTER key [option …]` · since Redis 8.0.0 or its module · time-series */
  "TS.ALTER": "OK"
  /** `TS.CREATE key [option …]` · since Redis 8.0.0 or its module · time-series */
  "TS.CREATE": "OK"
  /** `TS.CREATERULE source destination AGGREGATION aggregator bucket-duration [align]` · since Redis 8.0.0 or its module · time-series */
  "TS.CREATERULE": "OK"
  /** `TS.DECRBY key subtrahend [option …]` · since Redis 8.0.0 or its module · time-series */
  "TS.DECRBY": number
  /** `TS.DEL key from to` · since Redis 8.0.0 or its module · time-series */
  "TS.DEL": number
  /** `TS.DELETERULE source destination` · since Redis 8.0.0 or its module · time-series */
  "TS.DELETERULE": "OK"
  /** `TS.GET key [LATEST]` · since Redis 8.0.0 or its module · time-series */
  "TS.GET": Reply
  /** `TS.INCRBY key addend [option …]` · since Redis 8.0.0 or its module · time-series */
  "TS.INCRBY": number
  /** `TS.INFO key [DEBUG]` · since Redis 8.0.0 or its module · time-series */
  "TS.INFO": Reply
  /** `TS.MADD key timestamp value [key timestamp value …]` · since Redis 8.0.0 or its module · time-series */
  "TS.MADD": Reply[]
  /** `TS.MGET [LATEST] [WITHLABELS] FILTER filter [filter …]` · since Redis 8.0.0 or its module · time-series */
  "TS.MGET": Reply
  /** `TS.MRANGE from to [option …] FILTER filter [filter …]` · since Redis 8.0.0 or its module · time-series */
  "TS.MRANGE": Reply
  /** `TS.MREVRANGE from to [option …] FILTER filter [filter …]` · since Redis 8.0.0 or its module · time-series */
  "TS.MREVRANGE": Reply
  /** `TS.QUERYINDEX filter [filter …]` · since Redis 8.0.0 or its module · time-series */
  "TS.QUERYINDEX": Reply
  /** `TS.RANGE key from to [option …]` · since Redis 8.0.0 or its module · time-series */
  "TS.RANGE": Reply
  /** `TS.REVRANGE key from to [option …]` · since Redis 8.0.0 or its module · time-series */
  "TS.REVRANGE": Reply
  /** `TTL key` · since 1.0.0 · generic */
  TTL: number
  /** `TYPE key` · since 1.0.0 · generic */
  TYPE: string
  /** `UNLINK key [key …]` · since 4.0.0 · generic */
  UNLINK: number
  /** `UNWATCH` · since 2.2.0 · transactions */
  UNWATCH: "OK"
  /** `VADD key [REDUCE dim] <FP32 vector | VALUES num value [value …]> element [CAS] [NOQUANT | BIN | Q8] [EF build-exploration-factor] [SETATTR attributes] [M numlinks]` · since Redis 8.0.0 · vector-set */
  VADD: number
  /** `VCARD key` · since Redis 8.0.0 · vector-set */
  VCARD: number
  /** `VDIM key` · since Redis 8.0.0 · vector-set */
  VDIM: number
  /** `VEMB key element [RAW]` · since Redis 8.0.0 · vector-set */
  VEMB: Reply
  /** `VGETATTR key element` · since Redis 8.0.0 · vector-set */
  VGETATTR: string | null
  /** `VINFO key` · since Redis 8.0.0 · vector-set */
  VINFO: (string | number)[] | null
  /** `VISMEMBER key element` · since Redis 8.2.0 · vector-set */
  VISMEMBER: number
  /** `VLINKS key element [WITHSCORES]` · since Redis 8.0.0 · vector-set */
  VLINKS: string[][] | null
  /** `VRANDMEMBER key [count]` · since Redis 8.0.0 · vector-set */
  VRANDMEMBER: string | string[] | null
  /** `VRANGE key start end [count]` · since Redis 8.4.0 · vector-set */
  VRANGE: string[]
  /** `VREM key element` · since Redis 8.0.0 · vector-set */
  VREM: number
  /** `VSETATTR key element json` · since Redis 8.0.0 · vector-set */
  VSETATTR: number
  /** `VSIM key <ELE element | FP32 vector | VALUES num value [value …]> [WITHSCORES] [WITHATTRIBS] [COUNT count] [EPSILON max-distance] [EF search-exploration-factor] [FILTER expression] [FILTER-EF max-filtering-effort] [TRUTH] [NOTHREAD]` · since Redis 8.0.0 · vector-set */
  VSIM: string[] | (string | null)[]
  /** `WAIT numreplicas timeout` · since 3.0.0 · generic */
  WAIT: number
  /** `WAITAOF numlocal numreplicas timeout` · since 7.2.0 · generic */
  WAITAOF: [number, number]
  /** `WATCH key [key …]` · since 2.2.0 · transactions */
  WATCH: "OK"
  /** `XACK key group ID [ID …]` · since 5.0.0 · stream */
  XACK: number
  /** `XACKDEL key group [KEEPREF | DELREF | ACKED] IDS numids id [id …]` · since Redis 8.2.0 · stream */
  XACKDEL: number[]
  /** `XADD key [NOMKSTREAM] [KEEPREF | DELREF | ACKED] [IDMPAUTO pid | IDMP pid iid] [<MAXLEN | MINID> [= | ~] threshold [LIMIT count]] <* | id> field value [field value …]` · since 5.0.0 · stream */
  XADD: string | null
  /** `XAUTOCLAIM key group consumer min-idle-time start [COUNT count] [JUSTID]` · since 6.2.0 · stream */
  XAUTOCLAIM: [string, [string, string[]][], string[]] | [string, string[], string[]]
  /** `XCFGSET key [IDMP-DURATION duration] [IDMP-MAXSIZE maxsize]` · since Redis 8.6.0 · stream */
  XCFGSET: "OK"
  /** `XCLAIM key group consumer min-idle-time ID [ID …] [IDLE ms] [TIME unix-time-milliseconds] [RETRYCOUNT count] [FORCE] [JUSTID] [LASTID lastid]` · since 5.0.0 · stream */
  XCLAIM: [string, string[]][] | string[]
  /** `XDEL key ID [ID …]` · since 5.0.0 · stream */
  XDEL: number
  /** `XDELEX key [KEEPREF | DELREF | ACKED] IDS numids id [id …]` · since Redis 8.2.0 · stream */
  XDELEX: number[]
  /** `XIDMPRECORD key pid iid stream-id` · since Redis 8.6.2 · stream */
  XIDMPRECORD: Reply
  /** `XLEN key` · since 5.0.0 · stream */
  XLEN: number
  /** `XPENDING key group [[IDLE min-idle-time] start end count [consumer]]` · since 5.0.0 · stream */
  XPENDING: [number, string | null, string | null, [string, string][] | null] | [string, string, number, number][]
  /** `XRANGE key start end [COUNT count]` · since 5.0.0 · stream */
  XRANGE: [string, string[]][]
  /** `XREAD [COUNT count] [BLOCK milliseconds] STREAMS key [key …] ID [ID …]` · since 5.0.0 · stream */
  XREAD: [string, [string, string[]][]][] | null
  /** `XREADGROUP GROUP group consumer [COUNT count] [BLOCK milliseconds] [CLAIM min-idle-time] [NOACK] STREAMS key [key …] id [id …]` · since 5.0.0 · stream */
  XREADGROUP: [string, [string, string[] | null][]][] | [string, ([string, string[] | null] | [string, string[] | null, number, number])[]][] | null
  /** `XREVRANGE key end start [COUNT count]` · since 5.0.0 · stream */
  XREVRANGE: [string, string[]][]
  /** `XSETID key last-id [ENTRIESADDED entries-added] [MAXDELETEDID max-deleted-id]` · since 5.0.0 · stream */
  XSETID: "OK"
  /** `XTRIM key <MAXLEN | MINID> [= | ~] threshold [LIMIT count] [KEEPREF | DELREF | ACKED]` · since 5.0.0 · stream */
  XTRIM: number
  /** `ZADD key [NX | XX] [GT | LT] [CH] [INCR] score member [score member …]` · since 1.2.0 · sorted-set */
  ZADD: number | string | null
  /** `ZCARD key` · since 1.2.0 · sorted-set */
  ZCARD: number
  /** `ZCOUNT key min max` · since 2.0.0 · sorted-set */
  ZCOUNT: number
  /** `ZDIFF numkeys key [key …] [WITHSCORES]` · since 6.2.0 · sorted-set */
  ZDIFF: string[]
  /** `ZDIFFSTORE destination numkeys key [key …]` · since 6.2.0 · sorted-set */
  ZDIFFSTORE: number
  /** `ZINCRBY key increment member` · since 1.2.0 · sorted-set */
  ZINCRBY: string
  /** `ZINTER numkeys key [key …] [WEIGHTS weight [weight …]] [AGGREGATE <SUM | MIN | MAX>] [WITHSCORES]` · since 6.2.0 · sorted-set */
  ZINTER: string[]
  /** `ZINTERCARD numkeys key [key …] [LIMIT limit]` · since 7.0.0 · sorted-set */
  ZINTERCARD: number
  /** `ZINTERSTORE destination numkeys key [key …] [WEIGHTS weight [weight …]] [AGGREGATE <SUM | MIN | MAX>]` · since 2.0.0 · sorted-set */
  ZINTERSTORE: number
  /** `ZLEXCOUNT key min max` · since 2.8.9 · sorted-set */
  ZLEXCOUNT: number
  /** `ZMPOP numkeys key [key …] <MIN | MAX> [COUNT count]` · since 7.0.0 · sorted-set */
  ZMPOP: [string, [string, string][]] | null
  /** `ZMSCORE key member [member …]` · since 6.2.0 · sorted-set */
  ZMSCORE: (string | null)[]
  /** `ZPOPMAX key [count]` · since 5.0.0 · sorted-set */
  ZPOPMAX: string[]
  /** `ZPOPMIN key [count]` · since 5.0.0 · sorted-set */
  ZPOPMIN: string[]
  /** `ZRANDMEMBER key [count [WITHSCORES]]` · since 6.2.0 · sorted-set */
  ZRANDMEMBER: string | string[] | null
  /** `ZRANGE key start stop [BYSCORE | BYLEX] [REV] [LIMIT offset count] [WITHSCORES]` · since 1.2.0 · sorted-set */
  ZRANGE: string[]
  /** `ZRANGEBYLEX key min max [LIMIT offset count]` · since 2.8.9 · sorted-set · better not in new programs */
  ZRANGEBYLEX: string[]
  /** `ZRANGEBYSCORE key min max [WITHSCORES] [LIMIT offset count]` · since 1.0.5 · sorted-set · better not in new programs */
  ZRANGEBYSCORE: string[]
  /** `ZRANGESTORE dst src min max [BYSCORE | BYLEX] [REV] [LIMIT offset count]` · since 6.2.0 · sorted-set */
  ZRANGESTORE: number
  /** `ZRANK key member [WITHSCORE]` · since 2.0.0 · sorted-set */
  ZRANK: number | [number, string] | null
  /** `ZREM key member [member …]` · since 1.2.0 · sorted-set */
  ZREM: number
  /** `ZREMRANGEBYLEX key min max` · since 2.8.9 · sorted-set */
  ZREMRANGEBYLEX: number
  /** `ZREMRANGEBYRANK key start stop` · since 2.0.0 · sorted-set */
  ZREMRANGEBYRANK: number
  /** `ZREMRANGEBYSCORE key min max` · since 1.2.0 · sorted-set */
  ZREMRANGEBYSCORE: number
  /** `ZREVRANGE key start stop [WITHSCORES]` · since 1.2.0 · sorted-set · better not in new programs */
  ZREVRANGE: string[]
  /** `ZREVRANGEBYLEX key max min [LIMIT offset count]` · since 2.8.9 · sorted-set · better not in new programs */
  ZREVRANGEBYLEX: string[]
  /** `ZREVRANGEBYSCORE key max min [WITHSCORES] [LIMIT offset count]` · since 2.2.0 · sorted-set · better not in new programs */
  ZREVRANGEBYSCORE: string[]
  /** `ZREVRANK key member [WITHSCORE]` · since 2.0.0 · sorted-set */
  ZREVRANK: number | [number, string] | null
  /** `ZSCAN key cursor [MATCH pattern] [COUNT count] [NOSCORES]` · since 2.8.0 · sorted-set */
  ZSCAN: [string, string[]]
  /** `ZSCORE key member` · since 1.2.0 · sorted-set */
  ZSCORE: string | null
  /** `ZUNION numkeys key [key …] [WEIGHTS weight [weight …]] [AGGREGATE <SUM | MIN | MAX>] [WITHSCORES]` · since 6.2.0 · sorted-set */
  ZUNION: string[]
  /** `ZUNIONSTORE destination numkeys key [key …] [WEIGHTS weight [weight …]] [AGGREGATE <SUM | MIN | MAX>]` · since 2.0.0 · sorted-set */
  ZUNIONSTORE: number
}

/** The same for commands of two words. */
export interface BuiltinSubReplies {
  /** `ACL CAT [category]` · since 6.0.0 · server */
  "ACL CAT": string[]
  /** `ACL DELUSER username [username …]` · since 6.0.0 · server */
  "ACL DELUSER": number
  /** `ACL DRYRUN username command [arg [arg …]]` · since 7.0.0 · server */
  "ACL DRYRUN": string
  /** `ACL GENPASS [bits]` · since 6.0.0 · server */
  "ACL GENPASS": string
  /** `ACL GETUSER username` · since 6.0.0 · server */
  "ACL GETUSER": Reply[] | null
  /** `ACL HELP` · since 6.0.0 · server */
  "ACL HELP": string[]
  /** `ACL LIST` · since 6.0.0 · server */
  "ACL LIST": string[]
  /** `ACL LOAD` · since 6.0.0 · server */
  "ACL LOAD": "OK"
  /** `ACL LOG [count | RESET]` · since 6.0.0 · server */
  "ACL LOG": (string | number)[][] | "OK"
  /** `ACL SAVE` · since 6.0.0 · server */
  "ACL SAVE": "OK"
  /** `ACL SETUSER username [rule [rule …]]` · since 6.0.0 · server */
  "ACL SETUSER": "OK"
  /** `ACL USERS` · since 6.0.0 · server */
  "ACL USERS": string[]
  /** `ACL WHOAMI` · since 6.0.0 · server */
  "ACL WHOAMI": string
  /** `CLIENT CACHING <YES | NO>` · since 6.0.0 · connection */
  "CLIENT CACHING": "OK"
  /** `CLIENT CAPA capability [capability …]` · since Valkey 8.0.0 · connection */
  "CLIENT CAPA": "OK"
  /** `CLIENT GETNAME` · since 2.6.9 · connection */
  "CLIENT GETNAME": string | null
  /** `CLIENT GETREDIR` · since 6.0.0 · connection */
  "CLIENT GETREDIR": number
  /** `CLIENT HELP` · since 5.0.0 · connection */
  "CLIENT HELP": string[]
  /** `CLIENT ID` · since 5.0.0 · connection */
  "CLIENT ID": number
  /** `CLIENT IMPORT-SOURCE <ON | OFF>` · since Valkey 8.1.0 · connection */
  "CLIENT IMPORT-SOURCE": "OK"
  /** `CLIENT INFO` · since 6.2.0 · connection */
  "CLIENT INFO": string
  /** `CLIENT KILL <addr:port | filter value [filter value …]>` · since 2.4.0 · connection */
  "CLIENT KILL": "OK" | number
  /** `CLIENT LIST [TYPE <NORMAL | MASTER | REPLICA | PUBSUB>] [ID client-id [client-id …]] [filter value …]` · since 2.4.0 · connection */
  "CLIENT LIST": string
  /** `CLIENT NO-EVICT <ON | OFF>` · since 7.0.0 · connection */
  "CLIENT NO-EVICT": "OK"
  /** `CLIENT NO-TOUCH <ON | OFF>` · since 7.2.0 · connection */
  "CLIENT NO-TOUCH": "OK"
  /** `CLIENT PAUSE timeout [WRITE | ALL]` · since 3.0.0 · connection */
  "CLIENT PAUSE": "OK"
  /** `CLIENT SETINFO <lib-name libname | lib-ver libver>` · since 7.2.0 · connection */
  "CLIENT SETINFO": "OK"
  /** `CLIENT SETNAME connection-name` · since 2.6.9 · connection */
  "CLIENT SETNAME": "OK"
  /** `CLIENT TRACKING <ON | OFF> [REDIRECT client-id] [PREFIX prefix [PREFIX prefix …]] [BCAST] [OPTIN] [OPTOUT] [NOLOOP]` · since 6.0.0 · connection */
  "CLIENT TRACKING": "OK"
  /** `CLIENT TRACKINGINFO` · since 6.2.0 · connection */
  "CLIENT TRACKINGINFO": (string | string[] | number)[]
  /** `CLIENT UNBLOCK client-id [TIMEOUT | ERROR]` · since 5.0.0 · connection */
  "CLIENT UNBLOCK": number
  /** `CLIENT UNPAUSE` · since 6.2.0 · connection */
  "CLIENT UNPAUSE": "OK"
  /** `CLUSTER ADDSLOTS slot [slot …]` · since 3.0.0 · cluster */
  "CLUSTER ADDSLOTS": "OK"
  /** `CLUSTER ADDSLOTSRANGE start-slot end-slot [start-slot end-slot …]` · since 7.0.0 · cluster */
  "CLUSTER ADDSLOTSRANGE": "OK"
  /** `CLUSTER BUMPEPOCH` · since 3.0.0 · cluster */
  "CLUSTER BUMPEPOCH": string
  /** `CLUSTER CANCELSLOTMIGRATIONS` · since Valkey 9.0.0 · cluster */
  "CLUSTER CANCELSLOTMIGRATIONS": "OK"
  /** `CLUSTER COUNT-FAILURE-REPORTS node-id` · since 3.0.0 · cluster */
  "CLUSTER COUNT-FAILURE-REPORTS": number
  /** `CLUSTER COUNTKEYSINSLOT slot` · since 3.0.0 · cluster */
  "CLUSTER COUNTKEYSINSLOT": number
  /** `CLUSTER DELSLOTS slot [slot …]` · since 3.0.0 · cluster */
  "CLUSTER DELSLOTS": "OK"
  /** `CLUSTER DELSLOTSRANGE start-slot end-slot [start-slot end-slot …]` · since 7.0.0 · cluster */
  "CLUSTER DELSLOTSRANGE": "OK"
  /** `CLUSTER FAILOVER [FORCE | TAKEOVER]` · since 3.0.0 · cluster */
  "CLUSTER FAILOVER": "OK"
  /** `CLUSTER FLUSHSLOT slot [ASYNC | SYNC]` · since Valkey 9.0.0 · cluster */
  "CLUSTER FLUSHSLOT": "OK"
  /** `CLUSTER FLUSHSLOTS` · since 3.0.0 · cluster */
  "CLUSTER FLUSHSLOTS": "OK"
  /** `CLUSTER FORGET node-id` · since 3.0.0 · cluster */
  "CLUSTER FORGET": "OK"
  /** `CLUSTER GETKEYSINSLOT slot count` · since 3.0.0 · cluster */
  "CLUSTER GETKEYSINSLOT": string[]
  /** `CLUSTER GETSLOTMIGRATIONS` · since Valkey 9.0.0 · cluster */
  "CLUSTER GETSLOTMIGRATIONS": Reply[]
  /** `CLUSTER HELP` · since 5.0.0 · cluster */
  "CLUSTER HELP": string[]
  /** `CLUSTER INFO` · since 3.0.0 · cluster */
  "CLUSTER INFO": string
  /** `CLUSTER KEYSLOT key` · since 3.0.0 · cluster */
  "CLUSTER KEYSLOT": number
  /** `CLUSTER LINKS` · since 7.0.0 · cluster */
  "CLUSTER LINKS": (string | number)[][]
  /** `CLUSTER MEET ip port [cluster-bus-port]` · since 3.0.0 · cluster */
  "CLUSTER MEET": "OK"
  /** `CLUSTER MIGRATESLOTS SLOTSRANGE start-slot end-slot [start-slot end-slot …] NODE node-id [SLOTSRANGE … NODE …]` · since Valkey 9.0.0 · cluster */
  "CLUSTER MIGRATESLOTS": Reply
  /** `CLUSTER MIGRATION <IMPORT start-slot end-slot [start-slot end-slot …] | CANCEL <ID task-id | ALL> | STATUS <ID task-id | ALL>>` · since Redis 8.4.0 · cluster */
  "CLUSTER MIGRATION": Reply
  /** `CLUSTER MYID` · since 3.0.0 · cluster */
  "CLUSTER MYID": string
  /** `CLUSTER MYSHARDID` · since 7.2.0 · cluster */
  "CLUSTER MYSHARDID": string
  /** `CLUSTER NODES` · since 3.0.0 · cluster */
  "CLUSTER NODES": string
  /** `CLUSTER REPLICAS node-id` · since 5.0.0 · cluster */
  "CLUSTER REPLICAS": string[]
  /** `CLUSTER REPLICATE <node-id | NO ONE>` · since 3.0.0 · cluster */
  "CLUSTER REPLICATE": "OK"
  /** `CLUSTER RESET [HARD | SOFT]` · since 3.0.0 · cluster */
  "CLUSTER RESET": "OK"
  /** `CLUSTER SAVECONFIG` · since 3.0.0 · cluster */
  "CLUSTER SAVECONFIG": "OK"
  /** `CLUSTER SET-CONFIG-EPOCH config-epoch` · since 3.0.0 · cluster */
  "CLUSTER SET-CONFIG-EPOCH": "OK"
  /** `CLUSTER SETSLOT slot <IMPORTING importing | MIGRATING migrating | NODE node | STABLE> [TIMEOUT timeout]` · since 3.0.0 · cluster */
  "CLUSTER SETSLOT": "OK"
  /** `CLUSTER SHARDS` · since 7.0.0 · cluster */
  "CLUSTER SHARDS": Reply[][]
  /** `CLUSTER SLAVES node-id` · since 3.0.0 · cluster · better not in new programs */
  "CLUSTER SLAVES": string[]
  /** `CLUSTER SLOT-STATS <SLOTSRANGE start-slot end-slot | ORDERBY metric [LIMIT limit] [ASC | DESC]>` · since Valkey 8.0.0 · cluster */
  "CLUSTER SLOT-STATS": [number, (string | number)[]][]
  /** `CLUSTER SLOTS` · since 3.0.0 · cluster */
  "CLUSTER SLOTS": [number, number, ...[string | null, number, string, string[]][]][]
  /** `CLUSTER SYNCSLOTS subcommand [argument …]` · since Redis 8.4.0 · cluster */
  "CLUSTER SYNCSLOTS": Reply
  /** `COMMAND COUNT` · since 2.8.13 · server */
  "COMMAND COUNT": number
  /** `COMMAND DOCS [command-name [command-name …]]` · since 7.0.0 · server */
  "COMMAND DOCS": (string | Reply[])[]
  /** `COMMAND GETKEYS command [arg [arg …]]` · since 2.8.13 · server */
  "COMMAND GETKEYS": string[]
  /** `COMMAND GETKEYSANDFLAGS command [arg [arg …]]` · since 7.0.0 · server */
  "COMMAND GETKEYSANDFLAGS": [string, string[]][]
  /** `COMMAND HELP` · since 5.0.0 · server */
  "COMMAND HELP": string[]
  /** `COMMAND INFO [command-name [command-name …]]` · since 2.8.13 · server */
  "COMMAND INFO": (Reply[] | null)[]
  /** `COMMAND LIST [FILTERBY <MODULE module-name | ACLCAT category | PATTERN pattern>]` · since 7.0.0 · server */
  "COMMAND LIST": string[]
  /** `COMMANDLOG GET count <SLOW | LARGE-REQUEST | LARGE-REPLY>` · since Valkey 8.1.0 · server */
  "COMMANDLOG GET": [number, number, number, string[], string, string][]
  /** `COMMANDLOG HELP` · since Valkey 8.1.0 · server */
  "COMMANDLOG HELP": string[]
  /** `COMMANDLOG LEN <SLOW | LARGE-REQUEST | LARGE-REPLY>` · since Valkey 8.1.0 · server */
  "COMMANDLOG LEN": number
  /** `COMMANDLOG RESET <SLOW | LARGE-REQUEST | LARGE-REPLY>` · since Valkey 8.1.0 · server */
  "COMMANDLOG RESET": "OK"
  /** `CONFIG GET parameter [parameter …]` · since 2.0.0 · server */
  "CONFIG GET": string[]
  /** `CONFIG HELP` · since 5.0.0 · server */
  "CONFIG HELP": string[]
  /** `CONFIG RESETSTAT` · since 2.0.0 · server */
  "CONFIG RESETSTAT": "OK"
  /** `CONFIG REWRITE` · since 2.8.0 · server */
  "CONFIG REWRITE": "OK"
  /** `CONFIG SET parameter value [parameter value …]` · since 2.0.0 · server */
  "CONFIG SET": "OK"
  /** `DEBUG OBJECT key` · since 1.0.0 · server */
  "DEBUG OBJECT": string
  /** `FUNCTION DELETE library-name` · since 7.0.0 · scripting */
  "FUNCTION DELETE": "OK"
  /** `FUNCTION DUMP` · since 7.0.0 · scripting */
  "FUNCTION DUMP": string
  /** `FUNCTION FLUSH [ASYNC | SYNC]` · since 7.0.0 · scripting */
  "FUNCTION FLUSH": "OK"
  /** `FUNCTION HELP` · since 7.0.0 · scripting */
  "FUNCTION HELP": string[]
  /** `FUNCTION KILL` · since 7.0.0 · scripting */
  "FUNCTION KILL": "OK"
  /** `FUNCTION LIST [LIBRARYNAME library-name-pattern] [WITHCODE]` · since 7.0.0 · scripting */
  "FUNCTION LIST": Reply[][]
  /** `FUNCTION LOAD [REPLACE] function-code` · since 7.0.0 · scripting */
  "FUNCTION LOAD": string
  /** `FUNCTION RESTORE serialized-value [FLUSH | APPEND | REPLACE]` · since 7.0.0 · scripting */
  "FUNCTION RESTORE": "OK"
  /** `FUNCTION STATS` · since 7.0.0 · scripting */
  "FUNCTION STATS": Reply[]
  /** `HOTKEYS GET` · since Redis 8.6.0 · server */
  "HOTKEYS GET": Reply
  /** `HOTKEYS HELP` · since Redis 8.6.1 · server */
  "HOTKEYS HELP": string[]
  /** `HOTKEYS RESET` · since Redis 8.6.0 · server */
  "HOTKEYS RESET": "OK"
  /** `HOTKEYS START METRICS count [CPU] [NET] [COUNT k] [DURATION seconds] [SAMPLE ratio] [SLOTS count slot [slot …]]` · since Redis 8.6.0 · server */
  "HOTKEYS START": "OK"
  /** `HOTKEYS STOP` · since Redis 8.6.0 · server */
  "HOTKEYS STOP": "OK" | null
  /** `LATENCY DOCTOR` · since 2.8.13 · server */
  "LATENCY DOCTOR": string
  /** `LATENCY GRAPH event` · since 2.8.13 · server */
  "LATENCY GRAPH": string
  /** `LATENCY HELP` · since 2.8.13 · server */
  "LATENCY HELP": string[]
  /** `LATENCY HISTOGRAM [COMMAND [COMMAND …]]` · since 7.0.0 · server */
  "LATENCY HISTOGRAM": Reply[]
  /** `LATENCY HISTORY event` · since 2.8.13 · server */
  "LATENCY HISTORY": [number, number][]
  /** `LATENCY LATEST` · since 2.8.13 · server */
  "LATENCY LATEST": [string, number, number, number, ...number[]][]
  /** `LATENCY RESET [event [event …]]` · since 2.8.13 · server */
  "LATENCY RESET": number
  /** `MEMORY DOCTOR` · since 4.0.0 · server */
  "MEMORY DOCTOR": string
  /** `MEMORY HELP` · since 4.0.0 · server */
  "MEMORY HELP": string[]
  /** `MEMORY MALLOC-STATS` · since 4.0.0 · server */
  "MEMORY MALLOC-STATS": string
  /** `MEMORY PURGE` · since 4.0.0 · server */
  "MEMORY PURGE": "OK"
  /** `MEMORY STATS` · since 4.0.0 · server */
  "MEMORY STATS": Reply[]
  /** `MEMORY USAGE key [SAMPLES count]` · since 4.0.0 · server */
  "MEMORY USAGE": number | null
  /** `MODULE HELP` · since 5.0.0 · server */
  "MODULE HELP": string[]
  /** `MODULE LIST` · since 4.0.0 · server */
  "MODULE LIST": Reply[][]
  /** `MODULE LOAD path [arg [arg …]]` · since 4.0.0 · server */
  "MODULE LOAD": "OK"
  /** `MODULE LOADEX path [CONFIG name value [CONFIG name value …]] [ARGS args [args …]]` · since 7.0.0 · server */
  "MODULE LOADEX": "OK"
  /** `MODULE UNLOAD name` · since 4.0.0 · server */
  "MODULE UNLOAD": "OK"
  /** `OBJECT ENCODING key` · since 2.2.3 · generic */
  "OBJECT ENCODING": string | null
  /** `OBJECT FREQ key` · since 4.0.0 · generic */
  "OBJECT FREQ": number | null
  /** `OBJECT HELP` · since 6.2.0 · generic */
  "OBJECT HELP": string[]
  /** `OBJECT IDLETIME key` · since 2.2.3 · generic */
  "OBJECT IDLETIME": number | null
  /** `OBJECT REFCOUNT key` · since 2.2.3 · generic */
  "OBJECT REFCOUNT": number | null
  /** `PUBSUB CHANNELS [pattern]` · since 2.8.0 · pubsub */
  "PUBSUB CHANNELS": string[]
  /** `PUBSUB HELP` · since 6.2.0 · pubsub */
  "PUBSUB HELP": string[]
  /** `PUBSUB NUMPAT` · since 2.8.0 · pubsub */
  "PUBSUB NUMPAT": number
  /** `PUBSUB NUMSUB [channel [channel …]]` · since 2.8.0 · pubsub */
  "PUBSUB NUMSUB": (string | number)[]
  /** `PUBSUB SHARDCHANNELS [pattern]` · since 7.0.0 · pubsub */
  "PUBSUB SHARDCHANNELS": string[]
  /** `PUBSUB SHARDNUMSUB [shardchannel [shardchannel …]]` · since 7.0.0 · pubsub */
  "PUBSUB SHARDNUMSUB": (string | number)[]
  /** `SCRIPT DEBUG <YES | SYNC | NO> [engine]` · since 3.2.0 · scripting */
  "SCRIPT DEBUG": "OK"
  /** `SCRIPT EXISTS sha1 [sha1 …]` · since 2.6.0 · scripting */
  "SCRIPT EXISTS": number[]
  /** `SCRIPT FLUSH [ASYNC | SYNC]` · since 2.6.0 · scripting */
  "SCRIPT FLUSH": "OK"
  /** `SCRIPT HELP` · since 5.0.0 · scripting */
  "SCRIPT HELP": string[]
  /** `SCRIPT KILL` · since 2.6.0 · scripting */
  "SCRIPT KILL": "OK"
  /** `SCRIPT LOAD script` · since 2.6.0 · scripting */
  "SCRIPT LOAD": string
  /** `SCRIPT SHOW sha1` · since Valkey 8.0.0 · scripting */
  "SCRIPT SHOW": string
  /** `SENTINEL CKQUORUM primary-name` · since 2.8.4 · sentinel */
  "SENTINEL CKQUORUM": string
  /** `SENTINEL CONFIG <SET parameter value [SET parameter value …] | GET parameter [parameter …]>` · since 6.2.0 · sentinel */
  "SENTINEL CONFIG": "OK" | string[]
  /** `SENTINEL DEBUG [parameter value [parameter value …]]` · since 7.0.0 · sentinel */
  "SENTINEL DEBUG": string[] | "OK"
  /** `SENTINEL FAILOVER primary-name` · since 2.8.4 · sentinel */
  "SENTINEL FAILOVER": "OK"
  /** `SENTINEL FLUSHCONFIG` · since 2.8.4 · sentinel */
  "SENTINEL FLUSHCONFIG": "OK"
  /** `SENTINEL GET-MASTER-ADDR-BY-NAME primary-name` · since 2.8.4 · sentinel · better not in new programs */
  "SENTINEL GET-MASTER-ADDR-BY-NAME": [string, string] | null
  /** `SENTINEL GET-PRIMARY-ADDR-BY-NAME primary-name` · since Valkey 8.0.0 · sentinel */
  "SENTINEL GET-PRIMARY-ADDR-BY-NAME": [string, string] | null
  /** `SENTINEL HELP` · since 6.2.0 · sentinel */
  "SENTINEL HELP": string[]
  /** `SENTINEL INFO-CACHE nodename [nodename …]` · since 3.2.0 · sentinel */
  "SENTINEL INFO-CACHE": Reply
  /** `SENTINEL IS-MASTER-DOWN-BY-ADDR ip port current-epoch runid` · since 2.8.4 · sentinel · better not in new programs */
  "SENTINEL IS-MASTER-DOWN-BY-ADDR": [number, string, number]
  /** `SENTINEL IS-PRIMARY-DOWN-BY-ADDR ip port current-epoch runid` · since Valkey 8.0.0 · sentinel */
  "SENTINEL IS-PRIMARY-DOWN-BY-ADDR": [number, string, number]
  /** `SENTINEL MASTER primary-name` · since 2.8.4 · sentinel · better not in new programs */
  "SENTINEL MASTER": string[]
  /** `SENTINEL MASTERS` · since 2.8.4 · sentinel · better not in new programs */
  "SENTINEL MASTERS": string[][]
  /** `SENTINEL MONITOR name ip port quorum` · since 2.8.4 · sentinel */
  "SENTINEL MONITOR": "OK"
  /** `SENTINEL MYID` · since 6.2.0 · sentinel */
  "SENTINEL MYID": string
  /** `SENTINEL PENDING-SCRIPTS` · since 2.8.4 · sentinel */
  "SENTINEL PENDING-SCRIPTS": Reply[]
  /** `SENTINEL PRIMARIES` · since Valkey 8.0.0 · sentinel */
  "SENTINEL PRIMARIES": string[][]
  /** `SENTINEL PRIMARY primary-name` · since Valkey 8.0.0 · sentinel */
  "SENTINEL PRIMARY": string[]
  /** `SENTINEL REMOVE primary-name` · since 2.8.4 · sentinel */
  "SENTINEL REMOVE": "OK"
  /** `SENTINEL REPLICAS primary-name` · since 5.0.0 · sentinel */
  "SENTINEL REPLICAS": string[][]
  /** `SENTINEL RESET pattern` · since 2.8.4 · sentinel */
  "SENTINEL RESET": number
  /** `SENTINEL SENTINELS primary-name` · since 2.8.4 · sentinel */
  "SENTINEL SENTINELS": string[][]
  /** `SENTINEL SET primary-name option value [option value …]` · since 2.8.4 · sentinel */
  "SENTINEL SET": "OK"
  /** `SENTINEL SIMULATE-FAILURE [crash-after-election | crash-after-promotion | help [crash-after-election | crash-after-promotion | help …]]` · since 3.2.0 · sentinel */
  "SENTINEL SIMULATE-FAILURE": "OK" | string[]
  /** `SENTINEL SLAVES primary-name` · since 2.8.0 · sentinel · better not in new programs */
  "SENTINEL SLAVES": string[][]
  /** `SLOWLOG GET [count]` · since 2.2.12 · server */
  "SLOWLOG GET": [number, number, number, string[], string, string][]
  /** `SLOWLOG HELP` · since 6.2.0 · server */
  "SLOWLOG HELP": string[]
  /** `SLOWLOG LEN` · since 2.2.12 · server */
  "SLOWLOG LEN": number
  /** `SLOWLOG RESET` · since 2.2.12 · server */
  "SLOWLOG RESET": "OK"
  /** `XGROUP CREATE key group <id | $> [MKSTREAM] [ENTRIESREAD entriesread]` · since 5.0.0 · stream */
  "XGROUP CREATE": "OK"
  /** `XGROUP CREATECONSUMER key group consumer` · since 6.2.0 · stream */
  "XGROUP CREATECONSUMER": number
  /** `XGROUP DELCONSUMER key group consumer` · since 5.0.0 · stream */
  "XGROUP DELCONSUMER": number
  /** `XGROUP DESTROY key group` · since 5.0.0 · stream */
  "XGROUP DESTROY": number
  /** `XGROUP HELP` · since 5.0.0 · stream */
  "XGROUP HELP": string[]
  /** `XGROUP SETID key group <id | $> [ENTRIESREAD entriesread]` · since 5.0.0 · stream */
  "XGROUP SETID": "OK"
  /** `XINFO CONSUMERS key group` · since 5.0.0 · stream */
  "XINFO CONSUMERS": (string | number)[][]
  /** `XINFO GROUPS key` · since 5.0.0 · stream */
  "XINFO GROUPS": (string | number | null)[][]
  /** `XINFO HELP` · since 5.0.0 · stream */
  "XINFO HELP": string[]
  /** `XINFO STREAM key [FULL [COUNT count]]` · since 5.0.0 · stream */
  "XINFO STREAM": Reply[]
}

/** Replies under RESP3, where they differ. */
export interface BuiltinReplies3 {
  "ACL GETUSER": Map<string, Reply> | null
  "ACL LOG": Map<string, number | string>[] | "OK"
  "BF.ADD": boolean
  "BF.EXISTS": boolean
  BZMPOP: [string, [string, number][]] | null
  BZPOPMAX: [string, string, number] | null
  BZPOPMIN: [string, string, number] | null
  "CF.ADD": boolean
  "CF.ADDNX": boolean
  "CF.DEL": boolean
  "CF.EXISTS": boolean
  "CLIENT TRACKINGINFO": Map<string, Set<string> | number | string[]>
  "CLUSTER LINKS": Map<string, string | number>[]
  "CLUSTER SHARDS": Map<string, Reply>[]
  "CLUSTER SLOT-STATS": [number, Map<string, number>][]
  "CLUSTER SLOTS": [number, number, ...[string | null, number, string, Map<string, string>][]][]
  "COMMAND DOCS": Map<string, Map<string, Reply>>
  "COMMAND GETKEYSANDFLAGS": [string, Set<string>][]
  "CONFIG GET": Map<string, string>
  "FUNCTION LIST": Map<string, Reply>[]
  "FUNCTION STATS": Map<string, Reply>
  GEOPOS: ([number, number] | null)[]
  GEORADIUS: string[] | number | [string, string, number, [number, number]][] | [string, string, [number, number]][] | [string, number, [number, number]][] | [string, string, number][] | [string, [number, number]][] | [string, string][] | [string, number][]
  GEORADIUSBYMEMBER: string[] | number | [string, string, number, [number, number]][] | [string, string, [number, number]][] | [string, number, [number, number]][] | [string, string, number][] | [string, [number, number]][] | [string, string][] | [string, number][]
  GEORADIUSBYMEMBER_RO: string[] | [string, string, number, [number, number]][] | [string, string, [number, number]][] | [string, number, [number, number]][] | [string, string, number][] | [string, [number, number]][] | [string, string][] | [string, number][]
  GEORADIUS_RO: string[] | [string, string, number, [number, number]][] | [string, string, [number, number]][] | [string, number, [number, number]][] | [string, string, number][] | [string, [number, number]][] | [string, string][] | [string, number][]
  GEOSEARCH: string[] | [string, string, number, [number, number]][] | [string, string, [number, number]][] | [string, number, [number, number]][] | [string, string, number][] | [string, [number, number]][] | [string, string][] | [string, number][]
  HGETALL: Map<string, string>
  HRANDFIELD: string | string[] | [string, string][] | null
  "LATENCY HISTOGRAM": Map<string, Reply>
  LCS: string | Map<string, Reply> | number
  "MEMORY STATS": Map<string, Reply>
  "MODULE LIST": Map<string, Reply>[]
  SDIFF: Set<string>
  "SENTINEL CONFIG": "OK" | Map<string, string>
  "SENTINEL DEBUG": Map<string, string> | "OK"
  "SENTINEL MASTER": Map<string, string>
  "SENTINEL MASTERS": Map<string, string>[]
  "SENTINEL PRIMARIES": Map<string, string>[]
  "SENTINEL PRIMARY": Map<string, string>
  "SENTINEL REPLICAS": Map<string, string>[]
  "SENTINEL SENTINELS": Map<string, string>[]
  "SENTINEL SLAVES": Map<string, string>[]
  SINTER: Set<string>
  SMEMBERS: Set<string>
  SPOP: string | Set<string> | null
  SUNION: Set<string>
  VADD: boolean
  VINFO: Map<string, string | number> | null
  VISMEMBER: boolean
  VLINKS: string[][] | Map<string, number>[] | null
  VREM: boolean
  VSETATTR: boolean
  VSIM: string[] | Map<string, [number, string | null]> | Map<string, string | null> | Map<string, number>
  "XINFO CONSUMERS": Map<string, string | number>[]
  "XINFO GROUPS": Map<string, string | number | null>[]
  "XINFO STREAM": Map<string, Reply>
  XREAD: Map<string, [string, string[]][]> | null
  XREADGROUP: Map<string, [string, string[] | null][]> | Map<string, ([string, string[] | null] | [string, string[] | null, number, number])[]> | null
  ZADD: number | null
  ZDIFF: string[] | [string, number][]
  ZINCRBY: number
  ZINTER: string[] | [string, number][]
  ZMPOP: [string, [string, number][]] | null
  ZMSCORE: (number | null)[]
  ZPOPMAX: [string, number] | [] | [string, number][]
  ZPOPMIN: [string, number] | [] | [string, number][]
  ZRANDMEMBER: string | string[] | [string, number][] | null
  ZRANGE: string[] | [string, number][]
  ZRANGEBYSCORE: string[] | [string, number][]
  ZRANK: number | [number, number] | null
  ZREVRANGE: string[] | [string, number][]
  ZREVRANGEBYSCORE: string[] | [string, number][]
  ZREVRANK: number | [number, number] | null
  ZSCORE: number | null
  ZUNION: string[] | [string, number][]
}

/** Replies that depend on options. */
export interface RepliesByOptions {
  "ACL LOG": ByWords<2, { RESET: [0, "RESET"] }, [["RESET", "OK"], [never, (string | number)[][]]], true>
  "CLIENT KILL": ByLength<{ 3: "OK" }, number>
  COMMAND: ByLength<{ 1: Reply[][] }, Reply>
  GEORADIUS: ByWords<6, { COUNT: [1, never]; STORE: [1, "STORE"]; STOREDIST: [1, "STORE"]; WITHCOORD: [0, "WITHCOORD"]; WITHDIST: [0, "WITHDIST"]; WITHHASH: [0, "WITHHASH"] }, [["STORE", number], ["WITHCOORD" | "WITHDIST" | "WITHHASH", [string, string, number, [string, string]][]], ["WITHCOORD" | "WITHDIST", [string, string, [string, string]][]], ["WITHCOORD" | "WITHHASH", [string, number, [string, string]][]], ["WITHDIST" | "WITHHASH", [string, string, number][]], ["WITHCOORD", [string, [string, string]][]], ["WITHDIST", [string, string][]], ["WITHHASH", [string, number][]], [never, string[]]]>
  GEORADIUSBYMEMBER: ByWords<5, { COUNT: [1, never]; STORE: [1, "STORE"]; STOREDIST: [1, "STORE"]; WITHCOORD: [0, "WITHCOORD"]; WITHDIST: [0, "WITHDIST"]; WITHHASH: [0, "WITHHASH"] }, [["STORE", number], ["WITHCOORD" | "WITHDIST" | "WITHHASH", [string, string, number, [string, string]][]], ["WITHCOORD" | "WITHDIST", [string, string, [string, string]][]], ["WITHCOORD" | "WITHHASH", [string, number, [string, string]][]], ["WITHDIST" | "WITHHASH", [string, string, number][]], ["WITHCOORD", [string, [string, string]][]], ["WITHDIST", [string, string][]], ["WITHHASH", [string, number][]], [never, string[]]]>
  GEORADIUSBYMEMBER_RO: ByWords<5, { COUNT: [1, never]; WITHCOORD: [0, "WITHCOORD"]; WITHDIST: [0, "WITHDIST"]; WITHHASH: [0, "WITHHASH"] }, [["WITHCOORD" | "WITHDIST" | "WITHHASH", [string, string, number, [string, string]][]], ["WITHCOORD" | "WITHDIST", [string, string, [string, string]][]], ["WITHCOORD" | "WITHHASH", [string, number, [string, string]][]], ["WITHDIST" | "WITHHASH", [string, string, number][]], ["WITHCOORD", [string, [string, string]][]], ["WITHDIST", [string, string][]], ["WITHHASH", [string, number][]], [never, string[]]]>
  GEORADIUS_RO: ByWords<6, { COUNT: [1, never]; WITHCOORD: [0, "WITHCOORD"]; WITHDIST: [0, "WITHDIST"]; WITHHASH: [0, "WITHHASH"] }, [["WITHCOORD" | "WITHDIST" | "WITHHASH", [string, string, number, [string, string]][]], ["WITHCOORD" | "WITHDIST", [string, string, [string, string]][]], ["WITHCOORD" | "WITHHASH", [string, number, [string, string]][]], ["WITHDIST" | "WITHHASH", [string, string, number][]], ["WITHCOORD", [string, [string, string]][]], ["WITHDIST", [string, string][]], ["WITHHASH", [string, number][]], [never, string[]]]>
  GEOSEARCH: ByWords<2, { FROMMEMBER: [1, never]; FROMLONLAT: [2, never]; BYRADIUS: [2, never]; BYBOX: [3, never]; COUNT: [1, never]; WITHCOORD: [0, "WITHCOORD"]; WITHDIST: [0, "WITHDIST"]; WITHHASH: [0, "WITHHASH"] }, [["WITHCOORD" | "WITHDIST" | "WITHHASH", [string, string, number, [string, string]][]], ["WITHCOORD" | "WITHDIST", [string, string, [string, string]][]], ["WITHCOORD" | "WITHHASH", [string, number, [string, string]][]], ["WITHDIST" | "WITHHASH", [string, string, number][]], ["WITHCOORD", [string, [string, string]][]], ["WITHDIST", [string, string][]], ["WITHHASH", [string, number][]], [never, string[]]]>
  HRANDFIELD: ByLength<{ 2: string | null; 3: string[]; 4: string[] }>
  LCS: ByWords<3, { MINMATCHLEN: [1, never]; IDX: [0, "IDX"]; LEN: [0, "LEN"] }, [["IDX", Reply[]], ["LEN", number], [never, string]]>
  LPOP: ByLength<{ 2: string | null; 3: string[] | null }>
  LPOS: ByWords<3, { RANK: [1, never]; COUNT: [1, "COUNT"]; MAXLEN: [1, never] }, [["COUNT", number[]], [never, number | null]]>
  RPOP: ByLength<{ 2: string | null; 3: string[] | null }>
  "SENTINEL CONFIG": ByWords<2, { GET: [0, "GET"] }, [["GET", string[]], [never, "OK"]], true>
  "SENTINEL DEBUG": ByLength<{ 2: string[] }, "OK">
  SET: ByWords<3, { EX: [1, never]; PX: [1, never]; EXAT: [1, never]; PXAT: [1, never]; IFEQ: [1, "NX"]; IFNE: [1, "NX"]; IFDEQ: [1, "NX"]; IFDNE: [1, "NX"]; GET: [0, "GET"]; NX: [0, "NX"]; XX: [0, "NX"] }, [["GET", string | null], ["NX", "OK" | null], [never, "OK"]]>
  SORT: ByWords<2, { BY: [1, never]; LIMIT: [2, never]; GET: [1, "GET"]; STORE: [1, "STORE"] }, [["STORE", number], ["GET", (string | null)[]], [never, string[]]]>
  SORT_RO: ByWords<2, { BY: [1, never]; LIMIT: [2, never]; GET: [1, "GET"] }, [["GET", (string | null)[]], [never, string[]]]>
  SPOP: ByLength<{ 2: string | null; 3: string[] }>
  SRANDMEMBER: ByLength<{ 2: string | null; 3: string[] }>
  VEMB: ByLength<{ 3: string[] | null }, Reply>
  VRANDMEMBER: ByLength<{ 2: string | null; 3: string[] }>
  VSIM: ByWords<2, { ELE: [1, never]; FP32: [1, never]; VALUES: [1, never]; COUNT: [1, never]; EPSILON: [1, never]; EF: [1, never]; FILTER: [1, never]; "FILTER-EF": [1, never]; WITHSCORES: [0, "WITHSCORES"]; WITHATTRIBS: [0, "WITHATTRIBS"] }, [["WITHSCORES" | "WITHATTRIBS", (string | null)[]], ["WITHATTRIBS", (string | null)[]], ["WITHSCORES", string[]], [never, string[]]]>
  XADD: ByWords<2, { "*": ["rest", never]; IDMPAUTO: [1, never]; IDMP: [2, never]; LIMIT: [1, never]; NOMKSTREAM: [0, "NOMKSTREAM"] }, [["NOMKSTREAM", string | null], [never, string]]>
  XAUTOCLAIM: ByWords<6, { COUNT: [1, never]; JUSTID: [0, "JUSTID"] }, [["JUSTID", [string, string[], string[]]], [never, [string, [string, string[]][], string[]]]]>
  XCLAIM: ByWords<6, { IDLE: [1, never]; TIME: [1, never]; RETRYCOUNT: [1, never]; LASTID: [1, never]; JUSTID: [0, "JUSTID"] }, [["JUSTID", string[]], [never, [string, string[]][]]]>
  XPENDING: ByLength<{ 3: [number, string | null, string | null, [string, string][] | null] }, [string, string, number, number][]>
  XREADGROUP: ByWords<4, { COUNT: [1, never]; BLOCK: [1, never]; CLAIM: [1, "CLAIM"]; STREAMS: ["rest", never] }, [["CLAIM", [string, ([string, string[] | null] | [string, string[] | null, number, number])[]][] | null], [never, [string, [string, string[] | null][]][] | null]]>
  ZADD: ByWords<2, { NX: [0, never]; XX: [0, never]; GT: [0, never]; LT: [0, never]; CH: [0, never]; INCR: [0, "INCR"] }, [["INCR", string | null], [never, number]], true>
  ZRANDMEMBER: ByLength<{ 2: string | null; 3: string[]; 4: string[] }>
  ZRANK: ByLength<{ 3: number | null; 4: [number, string] | null }>
  ZREVRANK: ByLength<{ 3: number | null; 4: [number, string] | null }>
}

/** The same under RESP3, where it differs. */
export interface RepliesByOptions3 {
  "ACL LOG": ByWords<2, { RESET: [0, "RESET"] }, [["RESET", "OK"], [never, Map<string, number | string>[]]], true>
  GEORADIUS: ByWords<6, { COUNT: [1, never]; STORE: [1, "STORE"]; STOREDIST: [1, "STORE"]; WITHCOORD: [0, "WITHCOORD"]; WITHDIST: [0, "WITHDIST"]; WITHHASH: [0, "WITHHASH"] }, [["STORE", number], ["WITHCOORD" | "WITHDIST" | "WITHHASH", [string, string, number, [number, number]][]], ["WITHCOORD" | "WITHDIST", [string, string, [number, number]][]], ["WITHCOORD" | "WITHHASH", [string, number, [number, number]][]], ["WITHDIST" | "WITHHASH", [string, string, number][]], ["WITHCOORD", [string, [number, number]][]], ["WITHDIST", [string, string][]], ["WITHHASH", [string, number][]], [never, string[]]]>
  GEORADIUSBYMEMBER: ByWords<5, { COUNT: [1, never]; STORE: [1, "STORE"]; STOREDIST: [1, "STORE"]; WITHCOORD: [0, "WITHCOORD"]; WITHDIST: [0, "WITHDIST"]; WITHHASH: [0, "WITHHASH"] }, [["STORE", number], ["WITHCOORD" | "WITHDIST" | "WITHHASH", [string, string, number, [number, number]][]], ["WITHCOORD" | "WITHDIST", [string, string, [number, number]][]], ["WITHCOORD" | "WITHHASH", [string, number, [number, number]][]], ["WITHDIST" | "WITHHASH", [string, string, number][]], ["WITHCOORD", [string, [number, number]][]], ["WITHDIST", [string, string][]], ["WITHHASH", [string, number][]], [never, string[]]]>
  GEORADIUSBYMEMBER_RO: ByWords<5, { COUNT: [1, never]; WITHCOORD: [0, "WITHCOORD"]; WITHDIST: [0, "WITHDIST"]; WITHHASH: [0, "WITHHASH"] }, [["WITHCOORD" | "WITHDIST" | "WITHHASH", [string, string, number, [number, number]][]], ["WITHCOORD" | "WITHDIST", [string, string, [number, number]][]], ["WITHCOORD" | "WITHHASH", [string, number, [number, number]][]], ["WITHDIST" | "WITHHASH", [string, string, number][]], ["WITHCOORD", [string, [number, number]][]], ["WITHDIST", [string, string][]], ["WITHHASH", [string, number][]], [never, string[]]]>
  GEORADIUS_RO: ByWords<6, { COUNT: [1, never]; WITHCOORD: [0, "WITHCOORD"]; WITHDIST: [0, "WITHDIST"]; WITHHASH: [0, "WITHHASH"] }, [["WITHCOORD" | "WITHDIST" | "WITHHASH", [string, string, number, [number, number]][]], ["WITHCOORD" | "WITHDIST", [string, string, [number, number]][]], ["WITHCOORD" | "WITHHASH", [string, number, [number, number]][]], ["WITHDIST" | "WITHHASH", [string, string, number][]], ["WITHCOORD", [string, [number, number]][]], ["WITHDIST", [string, string][]], ["WITHHASH", [string, number][]], [never, string[]]]>
  GEOSEARCH: ByWords<2, { FROMMEMBER: [1, never]; FROMLONLAT: [2, never]; BYRADIUS: [2, never]; BYBOX: [3, never]; COUNT: [1, never]; WITHCOORD: [0, "WITHCOORD"]; WITHDIST: [0, "WITHDIST"]; WITHHASH: [0, "WITHHASH"] }, [["WITHCOORD" | "WITHDIST" | "WITHHASH", [string, string, number, [number, number]][]], ["WITHCOORD" | "WITHDIST", [string, string, [number, number]][]], ["WITHCOORD" | "WITHHASH", [string, number, [number, number]][]], ["WITHDIST" | "WITHHASH", [string, string, number][]], ["WITHCOORD", [string, [number, number]][]], ["WITHDIST", [string, string][]], ["WITHHASH", [string, number][]], [never, string[]]]>
  HRANDFIELD: ByLength<{ 2: string | null; 3: string[]; 4: [string, string][] }>
  LCS: ByWords<3, { MINMATCHLEN: [1, never]; IDX: [0, "IDX"]; LEN: [0, "LEN"] }, [["IDX", Map<string, Reply>], ["LEN", number], [never, string]]>
  "SENTINEL CONFIG": ByWords<2, { GET: [0, "GET"] }, [["GET", Map<string, string>], [never, "OK"]], true>
  "SENTINEL DEBUG": ByLength<{ 2: Map<string, string> }, "OK">
  SPOP: ByLength<{ 2: string | null; 3: Set<string> }>
  VEMB: ByLength<{ 3: number[] | null }, Reply>
  VLINKS: ByLength<{ 3: string[][] | null; 4: Map<string, number>[] | null }>
  VSIM: ByWords<2, { ELE: [1, never]; FP32: [1, never]; VALUES: [1, never]; COUNT: [1, never]; EPSILON: [1, never]; EF: [1, never]; FILTER: [1, never]; "FILTER-EF": [1, never]; WITHSCORES: [0, "WITHSCORES"]; WITHATTRIBS: [0, "WITHATTRIBS"] }, [["WITHSCORES" | "WITHATTRIBS", Map<string, [number, string | null]>], ["WITHATTRIBS", Map<string, string | null>], ["WITHSCORES", Map<string, number>], [never, string[]]]>
  XREADGROUP: ByWords<4, { COUNT: [1, never]; BLOCK: [1, never]; CLAIM: [1, "CLAIM"]; STREAMS: ["rest", never] }, [["CLAIM", Map<string, ([string, string[] | null] | [string, string[] | null, number, number])[]> | null], [never, Map<string, [string, string[] | null][]> | null]]>
  ZADD: ByWords<2, { NX: [0, never]; XX: [0, never]; GT: [0, never]; LT: [0, never]; CH: [0, never]; INCR: [0, "INCR"] }, [["INCR", number | null], [never, number]], true>
  ZDIFF: ByWords<"numkeys", { WITHSCORES: [0, "WITHSCORES"] }, [["WITHSCORES", [string, number][]], [never, string[]]]>
  ZINTER: ByWords<"numkeys", { AGGREGATE: [1, never]; WITHSCORES: [0, "WITHSCORES"] }, [["WITHSCORES", [string, number][]], [never, string[]]]>
  ZPOPMAX: ByLength<{ 2: [string, number] | []; 3: [string, number][] }>
  ZPOPMIN: ByLength<{ 2: [string, number] | []; 3: [string, number][] }>
  ZRANDMEMBER: ByLength<{ 2: string | null; 3: string[]; 4: [string, number][] }>
  ZRANGE: ByWords<4, { LIMIT: [2, never]; WITHSCORES: [0, "WITHSCORES"] }, [["WITHSCORES", [string, number][]], [never, string[]]]>
  ZRANGEBYSCORE: ByWords<4, { LIMIT: [2, never]; WITHSCORES: [0, "WITHSCORES"] }, [["WITHSCORES", [string, number][]], [never, string[]]]>
  ZRANK: ByLength<{ 3: number | null; 4: [number, number] | null }>
  ZREVRANGE: ByLength<{ 4: string[]; 5: [string, number][] }>
  ZREVRANGEBYSCORE: ByWords<4, { LIMIT: [2, never]; WITHSCORES: [0, "WITHSCORES"] }, [["WITHSCORES", [string, number][]], [never, string[]]]>
  ZREVRANK: ByLength<{ 3: number | null; 4: [number, number] | null }>
  ZUNION: ByWords<"numkeys", { AGGREGATE: [1, never]; WITHSCORES: [0, "WITHSCORES"] }, [["WITHSCORES", [string, number][]], [never, string[]]]>
}

/** Commands whose second word says which one is meant. */
export interface Containers {
  ACL: true
  CLIENT: true
  CLUSTER: true
  COMMAND: true
  COMMANDLOG: true
  CONFIG: true
  DEBUG: true
  FUNCTION: true
  HOTKEYS: true
  LATENCY: true
  MEMORY: true
  MODULE: true
  OBJECT: true
  PUBSUB: true
  SCRIPT: true
  SENTINEL: true
  SLOWLOG: true
  XGROUP: true
  XINFO: true
}

/** How long a command cannot be. */
export interface TooShort {
  ACL: 1
  "ACL DELUSER": 2
  "ACL DRYRUN": 2 | 3
  "ACL GETUSER": 2
  "ACL SETUSER": 2
  APPEND: 1 | 2
  AUTH: 1
  "BF.ADD": 1 | 2
  "BF.CARD": 1
  "BF.EXISTS": 1 | 2
  "BF.INFO": 1
  "BF.INSERT": 1 | 2 | 3
  "BF.LOADCHUNK": 1 | 2 | 3
  "BF.MADD": 1 | 2
  "BF.MEXISTS": 1 | 2
  "BF.RESERVE": 1 | 2 | 3
  "BF.SCANDUMP": 1 | 2
  BITCOUNT: 1
  BITFIELD: 1
  BITFIELD_RO: 1
  BITOP: 1 | 2 | 3
  BITPOS: 1 | 2
  BLMOVE: 1 | 2 | 3 | 4 | 5
  BLMPOP: 1 | 2 | 3 | 4
  BLPOP: 1 | 2
  BRPOP: 1 | 2
  BRPOPLPUSH: 1 | 2 | 3
  BZMPOP: 1 | 2 | 3 | 4
  BZPOPMAX: 1 | 2
  BZPOPMIN: 1 | 2
  "CF.ADD": 1 | 2
  "CF.ADDNX": 1 | 2
  "CF.COUNT": 1 | 2
  "CF.DEL": 1 | 2
  "CF.EXISTS": 1 | 2
  "CF.INFO": 1
  "CF.INSERT": 1 | 2 | 3
  "CF.INSERTNX": 1 | 2 | 3
  "CF.LOADCHUNK": 1 | 2 | 3
  "CF.MEXISTS": 1 | 2
  "CF.RESERVE": 1 | 2
  "CF.SCANDUMP": 1 | 2
  CLIENT: 1
  "CLIENT CACHING": 2
  "CLIENT CAPA": 2
  "CLIENT IMPORT-SOURCE": 2
  "CLIENT KILL": 2
  "CLIENT NO-EVICT": 2
  "CLIENT NO-TOUCH": 2
  "CLIENT PAUSE": 2
  "CLIENT REPLY": 2
  "CLIENT SETINFO": 2 | 3
  "CLIENT SETNAME": 2
  "CLIENT TRACKING": 2
  "CLIENT UNBLOCK": 2
  CLUSTER: 1
  "CLUSTER ADDSLOTS": 2
  "CLUSTER ADDSLOTSRANGE": 2 | 3
  "CLUSTER COUNT-FAILURE-REPORTS": 2
  "CLUSTER COUNTKEYSINSLOT": 2
  "CLUSTER DELSLOTS": 2
  "CLUSTER DELSLOTSRANGE": 2 | 3
  "CLUSTER FLUSHSLOT": 2
  "CLUSTER FORGET": 2
  "CLUSTER GETKEYSINSLOT": 2 | 3
  "CLUSTER KEYSLOT": 2
  "CLUSTER MEET": 2 | 3
  "CLUSTER MIGRATESLOTS": 2 | 3
  "CLUSTER MIGRATION": 2 | 3
  "CLUSTER REPLICAS": 2
  "CLUSTER REPLICATE": 2
  "CLUSTER SET-CONFIG-EPOCH": 2
  "CLUSTER SETSLOT": 2 | 3
  "CLUSTER SLAVES": 2
  "CLUSTER SLOT-STATS": 2 | 3
  "CLUSTER SYNCSLOTS": 2
  CLUSTERSCAN: 1
  "CMS.INCRBY": 1 | 2 | 3
  "CMS.INFO": 1
  "CMS.INITBYDIM": 1 | 2 | 3
  "CMS.INITBYPROB": 1 | 2 | 3
  "CMS.MERGE": 1 | 2 | 3
  "CMS.QUERY": 1 | 2
  "COMMAND GETKEYS": 2
  "COMMAND GETKEYSANDFLAGS": 2
  COMMANDLOG: 1
  "COMMANDLOG GET": 2 | 3
  "COMMANDLOG LEN": 2
  "COMMANDLOG RESET": 2
  CONFIG: 1
  "CONFIG GET": 2
  "CONFIG SET": 2 | 3
  COPY: 1 | 2
  DEBUG: 1
  "DEBUG OBJECT": 2
  DECR: 1
  DECRBY: 1 | 2
  DEL: 1
  DELEX: 1
  DELIFEQ: 1 | 2
  DIGEST: 1
  DUMP: 1
  ECHO: 1
  EVAL: 1 | 2
  EVALSHA: 1 | 2
  EVALSHA_RO: 1 | 2
  EVAL_RO: 1 | 2
  EXISTS: 1
  EXPIRE: 1 | 2
  EXPIREAT: 1 | 2
  EXPIRETIME: 1
  FCALL: 1 | 2
  FCALL_RO: 1 | 2
  "FT.AGGREGATE": 1 | 2
  "FT.ALIASADD": 1 | 2
  "FT.ALIASDEL": 1
  "FT.ALIASUPDATE": 1 | 2
  "FT.ALTER": 1 | 2 | 3 | 4 | 5
  "FT.CONFIG": 1 | 2
  "FT.CREATE": 1 | 2 | 3 | 4
  "FT.CURSOR": 1 | 2 | 3
  "FT.DICTADD": 1 | 2
  "FT.DICTDEL": 1 | 2
  "FT.DICTDUMP": 1
  "FT.DROPINDEX": 1
  "FT.EXPLAIN": 1 | 2
  "FT.EXPLAINCLI": 1 | 2
  "FT.HYBRID": 1 | 2
  "FT.INFO": 1
  "FT.PROFILE": 1 | 2 | 3 | 4
  "FT.SEARCH": 1 | 2
  "FT.SPELLCHECK": 1 | 2
  "FT.SUGADD": 1 | 2 | 3
  "FT.SUGDEL": 1 | 2
  "FT.SUGGET": 1 | 2
  "FT.SUGLEN": 1
  "FT.SYNDUMP": 1
  "FT.SYNUPDATE": 1 | 2 | 3
  "FT.TAGVALS": 1 | 2
  FUNCTION: 1
  "FUNCTION DELETE": 2
  "FUNCTION LOAD": 2
  "FUNCTION RESTORE": 2
  GEOADD: 1 | 2 | 3 | 4
  GEODIST: 1 | 2 | 3
  GEOHASH: 1
  GEOPOS: 1
  GEORADIUS: 1 | 2 | 3 | 4 | 5
  GEORADIUSBYMEMBER: 1 | 2 | 3 | 4
  GEORADIUSBYMEMBER_RO: 1 | 2 | 3 | 4
  GEORADIUS_RO: 1 | 2 | 3 | 4 | 5
  GEOSEARCH: 1 | 2 | 3 | 4 | 5 | 6
  GEOSEARCHSTORE: 1 | 2 | 3 | 4 | 5 | 6 | 7
  GET: 1
  GETBIT: 1 | 2
  GETDEL: 1
  GETEX: 1
  GETRANGE: 1 | 2 | 3
  GETSET: 1 | 2
  HDEL: 1 | 2
  HEXISTS: 1 | 2
  HEXPIRE: 1 | 2 | 3 | 4 | 5
  HEXPIREAT: 1 | 2 | 3 | 4 | 5
  HEXPIRETIME: 1 | 2 | 3 | 4
  HGET: 1 | 2
  HGETALL: 1
  HGETDEL: 1 | 2 | 3 | 4
  HGETEX: 1 | 2 | 3 | 4
  HINCRBY: 1 | 2 | 3
  HINCRBYFLOAT: 1 | 2 | 3
  HKEYS: 1
  HLEN: 1
  HMGET: 1 | 2
  HMSET: 1 | 2 | 3
  HOTKEYS: 1
  HPERSIST: 1 | 2 | 3 | 4
  HPEXPIRE: 1 | 2 | 3 | 4 | 5
  HPEXPIREAT: 1 | 2 | 3 | 4 | 5
  HPEXPIRETIME: 1 | 2 | 3 | 4
  HPTTL: 1 | 2 | 3 | 4
  HRANDFIELD: 1
  HSCAN: 1 | 2
  HSET: 1 | 2 | 3
  HSETEX: 1 | 2 | 3 | 4 | 5
  HSETNX: 1 | 2 | 3
  HSTRLEN: 1 | 2
  HTTL: 1 | 2 | 3 | 4
  HVALS: 1
  INCR: 1
  INCRBY: 1 | 2
  INCRBYFLOAT: 1 | 2
  "JSON.ARRAPPEND": 1 | 2 | 3
  "JSON.ARRINDEX": 1 | 2 | 3
  "JSON.ARRINSERT": 1 | 2 | 3 | 4
  "JSON.ARRLEN": 1
  "JSON.ARRPOP": 1
  "JSON.ARRTRIM": 1 | 2 | 3 | 4
  "JSON.CLEAR": 1
  "JSON.DEL": 1
  "JSON.FORGET": 1
  "JSON.GET": 1
  "JSON.MERGE": 1 | 2 | 3
  "JSON.MGET": 1 | 2
  "JSON.MSET": 1 | 2 | 3
  "JSON.NUMINCRBY": 1 | 2 | 3
  "JSON.NUMMULTBY": 1 | 2 | 3
  "JSON.OBJKEYS": 1
  "JSON.OBJLEN": 1
  "JSON.RESP": 1
  "JSON.SET": 1 | 2 | 3
  "JSON.STRAPPEND": 1 | 2
  "JSON.STRLEN": 1
  "JSON.TOGGLE": 1 | 2
  "JSON.TYPE": 1
  KEYS: 1
  LATENCY: 1
  "LATENCY GRAPH": 2
  "LATENCY HISTORY": 2
  LCS: 1 | 2
  LINDEX: 1 | 2
  LINSERT: 1 | 2 | 3 | 4
  LLEN: 1
  LMOVE: 1 | 2 | 3 | 4
  LMPOP: 1 | 2 | 3
  LPOP: 1
  LPOS: 1 | 2
  LPUSH: 1 | 2
  LPUSHX: 1 | 2
  LRANGE: 1 | 2 | 3
  LREM: 1 | 2 | 3
  LSET: 1 | 2 | 3
  LTRIM: 1 | 2 | 3
  MEMORY: 1
  "MEMORY USAGE": 2
  MGET: 1
  MIGRATE: 1 | 2 | 3 | 4 | 5
  MODULE: 1
  "MODULE LOAD": 2
  "MODULE LOADEX": 2
  "MODULE UNLOAD": 2
  MOVE: 1 | 2
  MSET: 1 | 2
  MSETEX: 1 | 2 | 3
  MSETNX: 1 | 2
  OBJECT: 1
  "OBJECT ENCODING": 2
  "OBJECT FREQ": 2
  "OBJECT IDLETIME": 2
  "OBJECT REFCOUNT": 2
  PERSIST: 1
  PEXPIRE: 1 | 2
  PEXPIREAT: 1 | 2
  PEXPIRETIME: 1
  PFADD: 1
  PFCOUNT: 1
  PFDEBUG: 1 | 2
  PFMERGE: 1
  PSETEX: 1 | 2 | 3
  PSUBSCRIBE: 1
  PSYNC: 1 | 2
  PTTL: 1
  PUBLISH: 1 | 2
  PUBSUB: 1
  RENAME: 1 | 2
  RENAMENX: 1 | 2
  REPLICAOF: 1 | 2
  RESTORE: 1 | 2 | 3
  "RESTORE-ASKING": 1 | 2 | 3
  RPOP: 1
  RPOPLPUSH: 1 | 2
  RPUSH: 1 | 2
  RPUSHX: 1 | 2
  SADD: 1 | 2
  SCAN: 1
  SCARD: 1
  SCRIPT: 1
  "SCRIPT DEBUG": 2
  "SCRIPT EXISTS": 2
  "SCRIPT LOAD": 2
  "SCRIPT SHOW": 2
  SDIFF: 1
  SDIFFSTORE: 1 | 2
  SELECT: 1
  SENTINEL: 1
  "SENTINEL CKQUORUM": 2
  "SENTINEL CONFIG": 2 | 3
  "SENTINEL FAILOVER": 2
  "SENTINEL GET-MASTER-ADDR-BY-NAME": 2
  "SENTINEL GET-PRIMARY-ADDR-BY-NAME": 2
  "SENTINEL INFO-CACHE": 2
  "SENTINEL IS-MASTER-DOWN-BY-ADDR": 2 | 3 | 4 | 5
  "SENTINEL IS-PRIMARY-DOWN-BY-ADDR": 2 | 3 | 4 | 5
  "SENTINEL MASTER": 2
  "SENTINEL MONITOR": 2 | 3 | 4 | 5
  "SENTINEL PRIMARY": 2
  "SENTINEL REMOVE": 2
  "SENTINEL REPLICAS": 2
  "SENTINEL RESET": 2
  "SENTINEL SENTINELS": 2
  "SENTINEL SET": 2 | 3 | 4
  "SENTINEL SIMULATE-FAILURE": 2
  "SENTINEL SLAVES": 2
  SET: 1 | 2
  SETBIT: 1 | 2 | 3
  SETEX: 1 | 2 | 3
  SETNX: 1 | 2
  SETRANGE: 1 | 2 | 3
  SINTER: 1
  SINTERCARD: 1 | 2
  SINTERSTORE: 1 | 2
  SISMEMBER: 1 | 2
  SLAVEOF: 1 | 2
  SLOWLOG: 1
  SMEMBERS: 1
  SMISMEMBER: 1 | 2
  SMOVE: 1 | 2 | 3
  SORT: 1
  SORT_RO: 1
  SPOP: 1
  SPUBLISH: 1 | 2
  SRANDMEMBER: 1
  SREM: 1 | 2
  SSCAN: 1 | 2
  SSUBSCRIBE: 1
  STRLEN: 1
  SUBSCRIBE: 1
  SUBSTR: 1 | 2 | 3
  SUNION: 1
  SUNIONSTORE: 1 | 2
  SWAPDB: 1 | 2
  "TDIGEST.ADD": 1 | 2
  "TDIGEST.BYRANK": 1 | 2
  "TDIGEST.BYREVRANK": 1 | 2
  "TDIGEST.CDF": 1 | 2
  "TDIGEST.CREATE": 1
  "TDIGEST.INFO": 1
  "TDIGEST.MAX": 1
  "TDIGEST.MERGE": 1 | 2 | 3
  "TDIGEST.MIN": 1
  "TDIGEST.QUANTILE": 1 | 2
  "TDIGEST.RANK": 1 | 2
  "TDIGEST.RESET": 1
  "TDIGEST.REVRANK": 1 | 2
  "TDIGEST.TRIMMED_MEAN": 1 | 2 | 3
  "TOPK.ADD": 1 | 2
  "TOPK.COUNT": 1 | 2
  "TOPK.INCRBY": 1 | 2 | 3
  "TOPK.INFO": 1
  "TOPK.LIST": 1
  "TOPK.QUERY": 1 | 2
  "TOPK.RESERVE": 1 | 2
  TOUCH: 1
  TRIMSLOTS: 1 | 2 | 3 | 4
  "TS.ADD": 1 | 2 | 3
  "TS.ALTER": 1
  "TS.CREATE": 1
  "TS.CREATERULE": 1 | 2 | 3 | 4 | 5
  "TS.DECRBY": 1 | 2
  "TS.DEL": 1 | 2 | 3
  "TS.DELETERULE": 1 | 2
  "TS.GET": 1
  "TS.INCRBY": 1 | 2
  "TS.INFO": 1
  "TS.MADD": 1 | 2 | 3
  "TS.MGET": 1 | 2
  "TS.MRANGE": 1 | 2 | 3
  "TS.MREVRANGE": 1 | 2 | 3
  "TS.QUERYINDEX": 1
  "TS.RANGE": 1 | 2 | 3
  "TS.REVRANGE": 1 | 2 | 3
  TTL: 1
  TYPE: 1
  UNLINK: 1
  VADD: 1 | 2 | 3 | 4
  VCARD: 1
  VDIM: 1
  VEMB: 1 | 2
  VGETATTR: 1 | 2
  VINFO: 1
  VISMEMBER: 1 | 2
  VLINKS: 1 | 2
  VRANDMEMBER: 1
  VRANGE: 1 | 2 | 3
  VREM: 1 | 2
  VSETATTR: 1 | 2 | 3
  VSIM: 1 | 2 | 3
  WAIT: 1 | 2
  WAITAOF: 1 | 2 | 3
  WATCH: 1
  XACK: 1 | 2 | 3
  XACKDEL: 1 | 2 | 3 | 4 | 5
  XADD: 1 | 2 | 3 | 4
  XAUTOCLAIM: 1 | 2 | 3 | 4 | 5
  XCFGSET: 1
  XCLAIM: 1 | 2 | 3 | 4 | 5
  XDEL: 1 | 2
  XDELEX: 1 | 2 | 3 | 4
  XGROUP: 1
  "XGROUP CREATE": 2 | 3 | 4
  "XGROUP CREATECONSUMER": 2 | 3 | 4
  "XGROUP DELCONSUMER": 2 | 3 | 4
  "XGROUP DESTROY": 2 | 3
  "XGROUP SETID": 2 | 3 | 4
  XIDMPRECORD: 1 | 2 | 3 | 4
  XINFO: 1
  "XINFO CONSUMERS": 2 | 3
  "XINFO GROUPS": 2
  "XINFO STREAM": 2
  XLEN: 1
  XPENDING: 1 | 2
  XRANGE: 1 | 2 | 3
  XREAD: 1 | 2 | 3
  XREADGROUP: 1 | 2 | 3 | 4 | 5 | 6
  XREVRANGE: 1 | 2 | 3
  XSETID: 1 | 2
  XTRIM: 1 | 2 | 3
  ZADD: 1 | 2 | 3
  ZCARD: 1
  ZCOUNT: 1 | 2 | 3
  ZDIFF: 1 | 2
  ZDIFFSTORE: 1 | 2 | 3
  ZINCRBY: 1 | 2 | 3
  ZINTER: 1 | 2
  ZINTERCARD: 1 | 2
  ZINTERSTORE: 1 | 2 | 3
  ZLEXCOUNT: 1 | 2 | 3
  ZMPOP: 1 | 2 | 3
  ZMSCORE: 1 | 2
  ZPOPMAX: 1
  ZPOPMIN: 1
  ZRANDMEMBER: 1
  ZRANGE: 1 | 2 | 3
  ZRANGEBYLEX: 1 | 2 | 3
  ZRANGEBYSCORE: 1 | 2 | 3
  ZRANGESTORE: 1 | 2 | 3 | 4
  ZRANK: 1 | 2
  ZREM: 1 | 2
  ZREMRANGEBYLEX: 1 | 2 | 3
  ZREMRANGEBYRANK: 1 | 2 | 3
  ZREMRANGEBYSCORE: 1 | 2 | 3
  ZREVRANGE: 1 | 2 | 3
  ZREVRANGEBYLEX: 1 | 2 | 3
  ZREVRANGEBYSCORE: 1 | 2 | 3
  ZREVRANK: 1 | 2
  ZSCAN: 1 | 2
  ZSCORE: 1 | 2
  ZUNION: 1 | 2
  ZUNIONSTORE: 1 | 2 | 3
}
