/**
 * What the types cost: the compiler's own figures for a program of 200 commands and 20 pipelines, and whether they are
 * within the budget. With `--compare` also for the same program written for other clients, as `docs/types.md` shows it.
 */
import { spawnSync } from "node:child_process"
import { mkdirSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { fileURLToPath } from "node:url"

/** Instantiations do not depend on the machine; they do on the compiler, which the lock file fixes. */
const MOST_INSTANTIATIONS = 55_000

/** The same request to each client; `k` stands for a key. */
const REQUESTS: ReadonlyArray<readonly [redix: string, ioredis: string, redis: string]> = [
  [`"GET", k`, `get(k)`, `get(k)`],
  [`"SET", k, "v", "EX", 60`, `set(k, "v", "EX", 60)`, `set(k, "v", { EX: 60 })`],
  [`"INCR", k`, `incr(k)`, `incr(k)`],
  [`"DEL", k`, `del(k)`, `del(k)`],
  [`"EXPIRE", k, 60`, `expire(k, 60)`, `expire(k, 60)`],
  [`"HSET", k, "f", "v"`, `hset(k, "f", "v")`, `hSet(k, "f", "v")`],
  [`"HGET", k, "f"`, `hget(k, "f")`, `hGet(k, "f")`],
  [`"HGETALL", k`, `hgetall(k)`, `hGetAll(k)`],
  [`"LPUSH", k, "v"`, `lpush(k, "v")`, `lPush(k, "v")`],
  [`"LRANGE", k, 0, -1`, `lrange(k, 0, -1)`, `lRange(k, 0, -1)`],
  [`"LPOP", k, 2`, `lpop(k, 2)`, `lPopCount(k, 2)`],
  [`"SADD", k, "m"`, `sadd(k, "m")`, `sAdd(k, "m")`],
  [`"SMEMBERS", k`, `smembers(k)`, `sMembers(k)`],
  [`"ZADD", k, 1, "m"`, `zadd(k, 1, "m")`, `zAdd(k, { score: 1, value: "m" })`],
  [`"ZRANGE", k, 0, -1, "WITHSCORES"`, `zrange(k, "0", "-1", "WITHSCORES")`, `zRangeWithScores(k, 0, -1)`],
  [`"XADD", k, "*", "f", "v"`, `xadd(k, "*", "f", "v")`, `xAdd(k, "*", { f: "v" })`],
  [`"XRANGE", k, "-", "+"`, `xrange(k, "-", "+")`, `xRange(k, "-", "+")`],
  [`"TTL", k`, `ttl(k)`, `ttl(k)`],
  [`"EXISTS", k`, `exists(k)`, `exists(k)`],
  [`"CONFIG", "GET", k`, `config("GET", k)`, `configGet(k)`],
]

interface Client {
  readonly column: 0 | 1 | 2
  readonly head: string
  command(request: string): string
  pipeline(requests: readonly string[]): string
}

const CLIENTS: Readonly<Record<string, Client>> = {
  "@redix/client": {
    column: 0,
    head: `import { Redix } from "@redix/client"\nconst c = Redix.start()`,
    command: (request) => `c.command([${request}])`,
    pipeline: (requests) => `c.pipeline([${requests.map((request) => `[${request}]`).join(", ")}])`,
  },
  ioredis: {
    column: 1,
    head: `import { Redis } from "ioredis"\nconst c = new Redis()`,
    command: (request) => `c.${request}`,
    pipeline: (requests) => `c.pipeline().${requests.join(".")}.exec()`,
  },
  redis: {
    column: 2,
    head: `import { createClient } from "redis"\nconst c = createClient()`,
    command: (request) => `c.${request}`,
    pipeline: (requests) => `c.multi().${requests.join(".")}.execAsPipeline()`,
  },
}

const root = fileURLToPath(new URL("..", import.meta.url))
const compare = process.argv.includes("--compare")

for (const [name, client] of Object.entries(CLIENTS)) {
  if (client.column > 0 && !compare) continue
  // Without the requests, to know what only importing it costs.
  const bare = measure(`${client.head}\nvoid c\n`)
  const full = measure(program(client))
  console.log(
    `${name}: ${full.instantiations} instantiations (${bare.instantiations} for the import), ` +
      `check ${full.checkTime} s (${bare.checkTime} s), memory ${full.memory} MB (${bare.memory} MB)`,
  )
  if (client.column === 0 && full.instantiations > MOST_INSTANTIATIONS) {
    console.error(`more than the budget of ${MOST_INSTANTIATIONS} instantiations`)
    process.exitCode = 1
  }
}

function program({ column, head, command, pipeline }: Client): string {
  const lines = [head]
  for (let round = 0; round < 10; round++) {
    for (const [index, request] of REQUESTS.entries()) {
      lines.push(
        `export const r${round}_${index} = await ${command(onKey(request[column], `"key:${round}:${index}"`))}`,
      )
    }
  }
  for (let round = 0; round < 20; round++) {
    const requests = REQUESTS.slice(round % 10, (round % 10) + 10).map((request, index) =>
      onKey(request[column], `"pipe:${round}:${index}"`),
    )
    lines.push(`export const p${round} = await ${pipeline(requests)}`)
  }
  return `${lines.join("\n")}\n`
}

function onKey(request: string, key: string): string {
  return request.replace(/\bk\b/, key)
}

interface Figures {
  readonly instantiations: number
  readonly checkTime: number
  readonly memory: number
}

function measure(source: string): Figures {
  const folder = join(root, `node_modules/.cache/weight-${process.pid}`)
  mkdirSync(folder, { recursive: true })
  try {
    writeFileSync(join(folder, "program.mts"), source)
    const compilerOptions = {
      strict: true,
      noEmit: true,
      skipLibCheck: true,
      module: "nodenext",
      target: "es2022",
    }
    writeFileSync(
      join(folder, "tsconfig.json"),
      JSON.stringify({
        compilerOptions: { ...compilerOptions, types: ["node"], lib: ["es2022", "esnext.disposable"] },
        files: ["program.mts"],
      }),
    )
    const tsc = join(root, "node_modules/typescript/bin/tsc")
    const { stdout } = spawnSync(process.execPath, [tsc, "-p", folder, "--extendedDiagnostics"], {
      encoding: "utf8",
    })
    if (stdout.includes("error TS")) throw new Error(stdout)
    const figure = (label: string) => Number(new RegExp(`^${label}:\\s+([\\d.]+)`, "m").exec(stdout)?.[1])
    return {
      instantiations: figure("Instantiations"),
      checkTime: figure("Check time"),
      memory: Math.round(figure("Memory used") / 1024),
    }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
