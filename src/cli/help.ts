/** The text of `--help`, of the table of options. */

import { type Mode, OPTION_ROWS, type OptionRow } from "./args.ts"
import type { Paint } from "./terminal.ts"

const USAGES: Readonly<Record<Mode, string>> = {
  run: `redix [OPTION…] COMMAND [ARGUMENT…]   send one command and print its reply
redix [OPTION…] < FILE                send commands from a file, pipelined
redix [OPTION…]                       a prompt, with completion, hints and history`,
  subscribe: "redix [OPTION…] subscribe NAME…       print messages; names with * ? [ are patterns",
  bench: "redix [OPTION…] bench [COMMAND…]      measure throughput and latency",
  doctor: "redix [OPTION…] doctor                look for what is wrong with a connection and its server",
}

const DETAILS: Readonly<Record<Mode, string>> = {
  run: `Options come before the command: what follows it is sent as it is.

A file has one command in each line, with words and quotes as redis-cli has them: "a\\n\\x00b" with escapes, 'a b' without.
A quoted word may go on over lines; a line that begins with # is a comment. Errors are listed with their lines.

With --cluster, each command goes to the node of its keys, and redirections are followed. Commands without a key are
carried out by one of the nodes. MULTI to EXEC is sent as a whole.`,
  subscribe: `Each message is a line of time, channel and payload; with --raw the payload alone, with --json an object. It subscribes
again by itself after a lost connection, and says so. Ctrl-C ends it.`,
  bench: `Without a command: PING, SET, GET, INCR, LPUSH, LPOP, HSET and MGET, on keys that begin with redix:bench: and are
removed afterwards. In a command of yours, __key__ becomes one of these keys and __value__ a value:

  redix bench SET __key__ __value__ EX 60

With --cluster, keys are spread over its slots. Each caller waits for its reply before it sends again: a stall of the
server is seen by few requests (coordinated omission). What comes first, until the code is warm, is not counted.`,
  doctor: `Resolves the name, connects, looks at certificate, user and permissions, server, role, memory, persistence, topology of
Sentinel or Cluster, the last failover, clocks and round trips. With --cluster it looks at every node. It changes
nothing. The exit code is 1 if something is wrong.`,
}

const ENVIRONMENT: readonly (readonly [string, string])[] = [
  ["REDIS_URL", "the URL, unless --url, --host, --port, --socket or --sentinel says where"],
  ["REDIS_PASSWORD", "the password, unless the URL or an option has one"],
  ["REDIS_SENTINEL_PASSWORD", "the password at the sentinels"],
  [
    "REDIX_HISTORY",
    "the file of the prompt's history; empty for none. Default: in XDG_STATE_HOME or at home",
  ],
  ["NO_COLOR", "no colours"],
  ["TERM", "dumb for a terminal that cannot rewrite a line: no hints, bars and colours"],
]

const EXIT_CODES: readonly (readonly [string, string])[] = [
  ["0", "all went well"],
  ["1", "an error reply, a command in a file that failed, or something that the doctor found wrong"],
  ["2", "wrong arguments, or input that cannot be read"],
  ["3", "no connection, or it was lost"],
  ["130, 143", "interrupted by Ctrl-C, or terminated"],
  ["141", "whoever read the output has gone"],
]

/** The whole text, or what concerns one of the modes with arguments of their own. */
export function helpText(mode: Mode, paint: Paint): string {
  const sections: string[] = []
  const section = (title: string, body: string) => sections.push(`${paint.bold(title)}\n${indented(body)}`)
  const modes: readonly Mode[] = mode === "run" ? ["run", "subscribe", "bench", "doctor"] : [mode]
  section("Usage", modes.map((each) => USAGES[each]).join("\n"))
  if (mode === "run") section("Commands", DETAILS.run)
  else section("About", DETAILS[mode])
  const own = modes.filter((each) => OPTION_ROWS.some(({ group }) => group === each))
  if (mode === "run") section("Options for commands", rowsOf("Commands"))
  for (const each of own) section(`Options of redix ${each}`, rowsOf(each))
  section("Options of the connection", rowsOf("Connection"))
  section("Options of the output", rowsOf("Output"))
  if (mode === "run") {
    section("Examples", EXAMPLES)
    section("Environment", table(ENVIRONMENT))
  }
  section("Exit codes", table(EXIT_CODES))
  return `${sections.join("\n\n")}\n`
}

const EXAMPLES = `redix GET greeting
redix --json HGETALL user:1 | jq .name
redix -x SET page < page.html
redix --url rediss://cache.example.com --ca ca.pem --user app --askpass
redix --sentinel s1:26379 --sentinel s2:26379 --group mymaster doctor
redix --cluster --url redis://n1:7000 --url redis://n2:7000 GET greeting
redix subscribe 'news.*' --json`

function rowsOf(group: OptionRow["group"]): string {
  return table(
    OPTION_ROWS.filter((row) => row.group === group).map((row) => [optionText(row), row.doc] as const),
  )
}

function optionText({ name, short, value }: OptionRow): string {
  return `${short === undefined ? "   " : `-${short},`} --${name}${value === undefined ? "" : ` ${value}`}`
}

function table(rows: readonly (readonly [string, string])[]): string {
  const width = Math.max(...rows.map(([left]) => left.length))
  return rows.map(([left, right]) => `${left.padEnd(width)}  ${right}`).join("\n")
}

function indented(text: string): string {
  return text.replace(/^(?=.)/gm, "  ")
}
