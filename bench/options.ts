// The command line of the benchmark.
import { parseArgs } from "node:util"
import { CLIENT_NAMES, type ClientName, isClientName } from "./clients/registry.ts"
import { WORKLOADS } from "./workloads/all.ts"
import type { Workload } from "./workloads/workload.ts"

export interface Options {
  readonly help: boolean
  readonly workloads: readonly Workload[]
  readonly clients: readonly ClientName[]
  readonly rounds: number
  readonly seconds: number
  readonly json: string | undefined
  readonly url: string | undefined
}

const NORMAL = { rounds: 5, seconds: 0.25 }
const QUICK = { rounds: 2, seconds: 0.1 }

export const HELP = `Client CPU for each command: this driver against node-redis and ioredis.

npm run bench -- [options]

  --only <regex>      only workloads whose name matches
  --clients <list>    of ${CLIENT_NAMES.join(", ")} (default: all)
  --rounds <n>        rounds of each workload, the quietest of which counts (default: ${NORMAL.rounds})
  --seconds <s>       length of a measured slice (default: ${NORMAL.seconds})
  --quick             ${QUICK.rounds} rounds of ${QUICK.seconds} s: a first impression in a minute and a half
  --json <file>       where to write the raw figures (default: bench/results/<date>.json)
  --url <url>         use this server instead of starting one (keys: redix-bench:*, removed afterwards); clusters are
                      started in any case
  --help              this text

Workloads: ${WORKLOADS.map(({ name }) => name).join(", ")}`

export function parseOptions(args: readonly string[]): Options {
  const { values } = parseArgs({
    args: [...args],
    options: {
      only: { type: "string", default: "" },
      clients: { type: "string", default: CLIENT_NAMES.join(",") },
      rounds: { type: "string" },
      seconds: { type: "string" },
      json: { type: "string" },
      url: { type: "string" },
      quick: { type: "boolean", default: false },
      help: { type: "boolean", default: false },
    },
  })
  const defaults = values.quick ? QUICK : NORMAL
  return {
    help: values.help,
    workloads: workloadsMatching(new RegExp(values.only)),
    clients: clientsIn(values.clients),
    rounds: Math.ceil(positive("rounds", values.rounds ?? defaults.rounds)),
    seconds: positive("seconds", values.seconds ?? defaults.seconds),
    json: values.json,
    url: values.url,
  }
}

function workloadsMatching(pattern: RegExp): readonly Workload[] {
  const found = WORKLOADS.filter(({ name }) => pattern.test(name))
  if (found.length === 0) throw new TypeError(`--only ${pattern.source} matches no workload`)
  return found
}

function clientsIn(list: string): readonly ClientName[] {
  return list.split(",").map((name) => {
    if (!isClientName(name)) throw new TypeError(`--clients: ${name} is none of ${CLIENT_NAMES.join(", ")}`)
    return name
  })
}

function positive(option: string, value: string | number): number {
  const number = Number(value)
  if (!(number > 0 && Number.isFinite(number))) throw new TypeError(`--${option} must be a number above 0`)
  return number
}
