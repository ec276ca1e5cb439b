/** Messages of channels, one line for each, until somebody has seen enough. */

import type { PubSub, PubSubEvent } from "../index.ts"
import { connectPubSub } from "./connect.ts"
import { type Context, formatOf } from "./context.ts"
import { EXIT, UsageError } from "./exit.ts"
import { explain } from "./explain.ts"
import { type Format, json, raw } from "./print.ts"
import { harmlessLine, quote } from "./quote.ts"
import { isTerminal, type Paint, paintFor, writeLine } from "./terminal.ts"

type Event = PubSubEvent<"buffer">

interface Message {
  readonly pattern?: string
  readonly channel: string
  readonly payload: unknown
}

export interface Wanted {
  readonly names: readonly string[]
  readonly patterns: readonly string[]
  readonly shardNames: readonly string[]
}

/** What `redix subscribe` is asked for. */
export async function runSubscribe(context: Context): Promise<number> {
  const { options, words, interruption, target } = context
  if (words.length === 0) throw new UsageError("redix subscribe: to which channels?")
  const format = formatOf(options)
  const most = options.integer("count", 1) ?? Number.POSITIVE_INFINITY
  const pubsub = await connectPubSub(target)
  try {
    const seen = await listen(pubsub, wantedOf(words, options.has("exact"), options.has("shard")), {
      format,
      most,
      signal: interruption.signal,
    })
    const isWatched = isTerminal(process.stderr)
    if (isWatched)
      writeLine(process.stderr, paintFor(process.stderr).dim(`${seen} message${seen === 1 ? "" : "s"}`))
    return interruption.code ?? EXIT.ok
  } finally {
    pubsub.destroy()
  }
}

/** Names as they are meant: with `*`, `?` or `[` they are patterns. */
export function wantedOf(words: readonly string[], exact: boolean, shard: boolean): Wanted {
  if (shard) return { names: [], patterns: [], shardNames: words }
  const isPattern = (word: string) => !exact && /[*?[]/.test(word)
  return {
    names: words.filter((word) => !isPattern(word)),
    patterns: words.filter(isPattern),
    shardNames: [],
  }
}

export interface Listening {
  readonly format: Format
  readonly most: number
  readonly signal: AbortSignal
}

/** Prints what comes until there were so many messages, or the signal; the number of them. */
export async function listen(
  pubsub: PubSub,
  wanted: Wanted,
  { format, most, signal }: Listening,
): Promise<number> {
  const notes = paintFor(process.stderr)
  const paint = paintFor(process.stdout)
  let seen = 0
  let finish: () => void = () => {}
  const finished = new Promise<void>((resolve) => {
    finish = resolve
  })
  const subscribed = new Set<string>()
  /** There is one event for each subscription. */
  let lost = false
  let isOver = false
  const handle = (event: Event) => {
    if (isOver) return
    switch (event.type) {
      case "message":
      case "smessage":
      case "pmessage":
        if (seen >= most) return
        seen += 1
        process.stdout.write(shownMessage(event, format, paint))
        if (seen >= most) finish()
        return
      case "disconnected":
        if (!lost)
          writeLine(
            process.stderr,
            notes.yellow(`disconnected: ${explain(event.error).problem}; messages may be missed`),
          )
        lost = true
        return
      case "subscribed":
      case "psubscribed":
      case "ssubscribed": {
        lost = false
        const kind = event.type === "psubscribed" ? "pattern" : "channel"
        const source = `${kind} ${harmlessLine("pattern" in event ? event.pattern : event.channel)}`
        const again = subscribed.has(source)
        subscribed.add(source)
        if (again || isTerminal(process.stderr)) {
          writeLine(process.stderr, notes.dim(`subscribed to the ${source}${again ? " again" : ""}`))
        }
        return
      }
      case "unsubscribed":
      case "punsubscribed":
      case "sunsubscribed":
        if (event.error) writeLine(process.stderr, notes.red(`refused: ${explain(event.error).problem}`))
        return
    }
  }
  if (signal.aborted) return seen
  signal.addEventListener("abort", finish, { once: true })
  const options = { encoding: "buffer" } as const
  if (wanted.names.length > 0) await pubsub.subscribe(wanted.names, handle, options)
  if (wanted.patterns.length > 0) await pubsub.psubscribe(wanted.patterns, handle, options)
  if (wanted.shardNames.length > 0) await pubsub.ssubscribe(wanted.shardNames, handle, options)
  await finished
  isOver = true
  signal.removeEventListener("abort", finish)
  return seen
}

function shownMessage(message: Message, format: Format, paint: Paint): string | Buffer {
  const { channel, payload, pattern } = message
  if (format === "raw") return Buffer.concat([raw(payload), Buffer.from("\n")])
  const time = new Date()
  if (format === "json") {
    const source = pattern === undefined ? { channel } : { pattern, channel }
    return `${json({ time: time.toISOString(), ...source, payload })}\n`
  }
  const text = Buffer.isBuffer(payload) ? quote(payload) : json(payload)
  return `${paint.dim(clockText(time))}  ${paint.cyan(harmlessLine(channel))}  ${paint.green(text)}\n`
}

/** `12:34:56.789`, by the clock on the wall. */
function clockText(time: Date): string {
  const two = (value: number) => `${value}`.padStart(2, "0")
  const ms = `${time.getMilliseconds()}`.padStart(3, "0")
  return `${two(time.getHours())}:${two(time.getMinutes())}:${two(time.getSeconds())}.${ms}`
}
