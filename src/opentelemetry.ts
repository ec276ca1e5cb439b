/**
 * Spans and metrics of requests for OpenTelemetry, after its conventions for database clients. Listens to the channels as
 * anybody may, and knows of clients only what users see; leaves to the application which SDK there is and where it sends.
 *
 * Source: https://opentelemetry.io/docs/specs/semconv/db/redis/, https://opentelemetry.io/docs/specs/semconv/db/database-metrics/
 */

import { isIP } from "node:net"
import {
  type Attributes,
  context,
  type Histogram,
  type Meter,
  type MeterProvider,
  metrics,
  type ObservableResult,
  type Span,
  SpanKind,
  SpanStatusCode,
  type Tracer,
  type TracerProvider,
  trace,
} from "@opentelemetry/api"
import { ConnectionError, RedisError } from "./errors.ts"
import { type ConnectionEvent, channels, type PipelineEvent, type SettledPipelineEvent } from "./telemetry.ts"
import { VERSION } from "./version.ts"

/**
 * What `db.query.text` of spans is: the names of the commands with a `?` for each argument; with the arguments, secrets
 * such as passwords excepted; or nothing.
 */
export type QueryText = "sanitized" | "full" | "none"

export interface InstrumentOptions {
  /** Default: the global one. */
  tracerProvider?: TracerProvider | undefined
  /** Default: the global one. */
  meterProvider?: MeterProvider | undefined
  /** Default: `"sanitized"`. */
  queryText?: QueryText | undefined
  /** Only makes spans within other spans, such as that of an HTTP request. Default: `false`. */
  requireParentSpan?: boolean | undefined
  /** Called before a span ends, to add what one knows more, from the request's `metadata` for example. */
  onSpan?: ((span: Span, event: SettledPipelineEvent) => void) | undefined
}

const NAME = "@redix/client"
/** As the conventions ask for, in seconds. */
const BUCKETS = [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10]

/**
 * From now on, each request of any client makes a span and is counted in `db.client.operation.duration`, and the
 * connections of all clients that are heard of in `db.client.connection.count` and `….pending_requests`. Returns what undoes
 * it: no more spans begin, and those of requests that are under way end with these. Called twice, everything is told twice.
 *
 * @example
 * const undo = instrument()
 */
export function instrument(options: InstrumentOptions = {}): () => void {
  const { tracerProvider = trace, meterProvider = metrics } = options
  const meter = meterProvider.getMeter(NAME, VERSION)
  const requests = new Requests(tracerProvider.getTracer(NAME, VERSION), meter, options)
  const connections = new Connections(meter)
  const onStart = (event: PipelineEvent): void => {
    connections.add(event.connection)
    requests.start(event)
  }
  const onConnection = (event: ConnectionEvent): void => connections.add(event.connection)
  const onEnd = (event: SettledPipelineEvent): void => requests.end(event)
  channels.pipeline.subscribe({ start: onStart, asyncEnd: onEnd })
  channels.connection.subscribe(onConnection)
  return () => {
    channels.pipeline.unsubscribe({ start: onStart })
    channels.connection.unsubscribe(onConnection)
    connections.stop()
    requests.whenAllHaveEnded(() => channels.pipeline.unsubscribe({ asyncEnd: onEnd }))
  }
}

// ── requests ──────────────────────────────────────────────────────────────────────────────────────────────────────

interface Begun {
  readonly span: Span | undefined
  readonly attributes: Attributes
}

class Requests {
  readonly #tracer: Tracer
  readonly #duration: Histogram
  readonly #options: InstrumentOptions
  readonly #begun = new Map<PipelineEvent, Begun>()
  #onAllEnded: (() => void) | undefined

  constructor(tracer: Tracer, meter: Meter, options: InstrumentOptions) {
    this.#tracer = tracer
    this.#options = options
    this.#duration = meter.createHistogram("db.client.operation.duration", {
      description: "Duration of database client operations.",
      unit: "s",
      advice: { explicitBucketBoundaries: BUCKETS },
    })
  }

  start(event: PipelineEvent): void {
    const operation = operationOf(event.commands)
    const attributes: Attributes = {
      "db.system.name": "redis",
      "db.operation.name": operation.name,
      ...(event.database === undefined ? {} : { "db.namespace": String(event.database) }),
      ...(operation.procedure === undefined ? {} : { "db.stored_procedure.name": operation.procedure }),
      ...serverOf(configuredAddress(event)),
    }
    this.#begun.set(event, { span: this.#spanOf(operation, attributes), attributes })
  }

  #spanOf(operation: Operation, attributes: Attributes): Span | undefined {
    if (this.#options.requireParentSpan === true && trace.getSpan(context.active()) === undefined)
      return undefined
    const { queryText = "sanitized" } = this.#options
    const target = operation.procedure ?? targetOf(attributes)
    const count = operation.commands.length
    return this.#tracer.startSpan(target === undefined ? operation.name : `${operation.name} ${target}`, {
      kind: SpanKind.CLIENT,
      attributes: {
        ...attributes,
        ...(count > 1 ? { "db.operation.batch.size": count } : {}),
        ...(queryText === "none" ? {} : { "db.query.text": textOf(operation.commands, queryText) }),
      },
    })
  }

  /** Calls it once none is under way, at once if none is. */
  whenAllHaveEnded(then: () => void): void {
    this.#onAllEnded = then
    if (this.#begun.size === 0) then()
  }

  end(event: SettledPipelineEvent): void {
    const begun = this.#begun.get(event)
    // Nobody has told of its beginning: that was before, or after all was undone.
    if (begun === undefined) return
    this.#begun.delete(event)
    // Not while the event is told: older versions of Node.js 20 pass over the listener behind one that goes.
    if (this.#begun.size === 0 && this.#onAllEnded !== undefined) queueMicrotask(this.#onAllEnded)
    const { span, attributes } = begun
    const outcome = "error" in event ? failureOf(event.error) : {}
    const active = span === undefined ? context.active() : trace.setSpan(context.active(), span)
    this.#duration.record(event.duration / 1000, { ...attributes, ...outcome }, active)
    if (span === undefined) return
    span.setAttributes({ ...outcome, ...peerOf(event.address) })
    // The message of a server's error may hold arguments of the command.
    if ("error" in event) span.setStatus({ code: SpanStatusCode.ERROR, message: messageOf(event.error) })
    try {
      this.#options.onSpan?.(span, event)
    } finally {
      span.end()
    }
  }
}

interface Operation {
  /** `GET`, `PIPELINE GET`, `MULTI`, … */
  readonly name: string
  /** Those of the caller. */
  readonly commands: PipelineEvent["commands"]
  /** The Lua script or the function that is called. */
  readonly procedure: string | undefined
}

function operationOf(all: PipelineEvent["commands"]): Operation {
  const isTransaction = isWrappedIn(all, "MULTI", "EXEC")
  const isMute = isWrappedIn(all, "CLIENT REPLY OFF", "CLIENT REPLY ON")
  const commands = isTransaction || isMute ? all.slice(1, -1) : all
  const names = commands.map(([name]) => nameOf(name))
  const [first = "unknown"] = names
  if (commands.length < 2) return { name: first, commands, procedure: procedureOf(commands[0]) }
  const kind = isTransaction ? "MULTI" : "PIPELINE"
  const isUniform = names.every((name) => name === first)
  return { name: isUniform ? `${kind} ${first}` : kind, commands, procedure: undefined }
}

function isWrappedIn(commands: PipelineEvent["commands"], first: string, last: string): boolean {
  return (
    commands.length > 2 &&
    commands[0]?.map(String).join(" ").toUpperCase() === first &&
    commands.at(-1)?.map(String).join(" ").toUpperCase() === last
  )
}

/** As the caller has spelled it, if it can be a name: anything may stand there. */
function nameOf(argument: unknown): string {
  const text = argument instanceof Uint8Array ? Buffer.from(argument).toString("latin1") : String(argument)
  return /^[\w.-]{1,64}$/.test(text) ? text : "unknown"
}

const CALLS = /^(EVALSHA|FCALL)(_RO)?$/i

function procedureOf(command: readonly unknown[] = []): string | undefined {
  if (!CALLS.test(nameOf(command[0]))) return undefined
  const name = nameOf(command[1])
  return name === "unknown" ? undefined : name
}

// ── query text ────────────────────────────────────────────────────────────────────────────────────────────────────

const LONGEST_TEXT = 1024
/** Of these the second word says what they do. */
const CONTAINERS =
  /^(ACL|CLIENT|CLUSTER|COMMAND|CONFIG|DEBUG|FUNCTION|LATENCY|MEMORY|MODULE|OBJECT|PUBSUB|SCRIPT|SLOWLOG|XGROUP|XINFO)$/i

function textOf(commands: PipelineEvent["commands"], kind: "sanitized" | "full"): string {
  let text = ""
  for (const command of commands) {
    const next = kind === "full" ? fullText(command) : sanitizedText(command)
    // A pipeline of the same all along is shown once.
    if (kind === "sanitized" && text === next) continue
    text = text === "" ? next : `${text}; ${next}`
    if (text.length > LONGEST_TEXT) return `${text.slice(0, LONGEST_TEXT)}…`
  }
  return text
}

function sanitizedText([name, ...rest]: readonly unknown[]): string {
  const words = [nameOf(name)]
  const [sub] = rest
  const hasSub = CONTAINERS.test(nameOf(name)) && typeof sub === "string" && /^[A-Za-z-]{1,32}$/.test(sub)
  if (hasSub) words.push(sub)
  const count = Math.min(hasSub ? rest.length - 1 : rest.length, LONGEST_TEXT)
  return [...words, ...new Array<string>(count).fill("?")].join(" ")
}

function fullText(command: readonly unknown[]): string {
  return command.map(argumentText).join(" ")
}

function argumentText(argument: unknown): string {
  if (argument instanceof Uint8Array) return `<${argument.length} bytes>`
  const text = String(argument).slice(0, LONGEST_TEXT)
  return /^[^\s"'\\]+$/.test(text) ? text : JSON.stringify(text)
}

// ── addresses and errors ──────────────────────────────────────────────────────────────────────────────────────────

/** `"host:port"`, `"[::1]:6379"` or a path; several of a cluster are separated by commas. */
function splitAddress(address: string): { readonly host: string; readonly port: number | undefined } {
  const match = /^\[?([^,[\]]+?)\]?:(\d+)$/.exec(address)
  return match?.[1] === undefined || match[2] === undefined || address.startsWith("/")
    ? { host: address, port: undefined }
    : { host: match[1], port: Number(match[2]) }
}

/** Of a cluster not the node: that differs from request to request. */
function configuredAddress({ connection, address }: PipelineEvent): string {
  return "address" in connection && typeof connection.address === "string" ? connection.address : address
}

function serverOf(address: string): Attributes {
  // What stands for the address while a sentinel has not told one.
  if (/\s/.test(address)) return {}
  const { host, port } = splitAddress(address)
  return port === undefined ? { "server.address": host } : { "server.address": host, "server.port": port }
}

function targetOf({ "server.address": host, "server.port": port }: Attributes): string | undefined {
  if (host === undefined) return undefined
  return port === undefined ? `${host}` : `${host}:${port}`
}

/** Where it was carried out, if that is an address of the network and not a name. */
function peerOf(address: string): Attributes {
  const { host, port } = splitAddress(address)
  if (host.startsWith("/")) return { "network.peer.address": host, "network.transport": "unix" }
  return isIP(host) === 0 || port === undefined
    ? {}
    : { "network.peer.address": host, "network.peer.port": port }
}

function failureOf(error: unknown): Attributes {
  if (error instanceof RedisError) return { "error.type": error.code, "db.response.status_code": error.code }
  if (error instanceof ConnectionError) return { "error.type": error.reason }
  return { "error.type": error instanceof Error ? error.name : "_OTHER" }
}

function messageOf(error: unknown): string {
  if (error instanceof RedisError) return error.code
  return error instanceof Error ? error.message : "aborted"
}

// ── connections ───────────────────────────────────────────────────────────────────────────────────────────────────

/** What users see of a client. */
interface Client {
  readonly name: string | undefined
  readonly address: string
  readonly status: string
  stats(): Figures & { readonly connections?: readonly Figures[] }
}

interface Figures {
  readonly status?: string
  readonly waiting: number
  readonly inFlight: number
}

function isClient(thing: object): thing is Client {
  // The connection of a checkout is one of its pool's.
  return "stats" in thing && typeof thing.stats === "function" && !("release" in thing)
}

class Connections {
  /** Whoever was heard of; a client that nobody uses any more may go. */
  readonly #clients = new Set<WeakRef<Client>>()
  readonly #known = new WeakSet<object>()
  readonly #stop: () => void

  constructor(meter: Meter) {
    const count = meter.createObservableUpDownCounter("db.client.connection.count", {
      description: "The number of connections that are currently in state described by the state attribute.",
      unit: "{connection}",
    })
    const pending = meter.createObservableUpDownCounter("db.client.connection.pending_requests", {
      description: "The number of current pending requests for an open connection.",
      unit: "{request}",
    })
    const onCount = (result: ObservableResult): void => {
      for (const client of this.#all()) observeCount(client, result)
    }
    const onPending = (result: ObservableResult): void => {
      for (const client of this.#all()) result.observe(client.stats().waiting, poolOf(client))
    }
    count.addCallback(onCount)
    pending.addCallback(onPending)
    this.#stop = () => {
      count.removeCallback(onCount)
      pending.removeCallback(onPending)
    }
  }

  add(client: object): void {
    if (this.#known.has(client)) return
    this.#known.add(client)
    if (isClient(client)) this.#clients.add(new WeakRef(client))
  }

  stop(): void {
    this.#stop()
  }

  *#all(): Generator<Client> {
    for (const reference of this.#clients) {
      const client = reference.deref()
      if (client === undefined || client.status === "closed") this.#clients.delete(reference)
      else yield client
    }
  }
}

function observeCount(client: Client, result: ObservableResult): void {
  const stats = client.stats()
  const connections = stats.connections ?? [{ ...stats, status: client.status }]
  const standing = connections.filter(({ status }) => status === "connected")
  const used = standing.filter(({ waiting, inFlight }) => waiting + inFlight > 0).length
  const pool = poolOf(client)
  result.observe(used, { ...pool, "db.client.connection.state": "used" })
  result.observe(standing.length - used, { ...pool, "db.client.connection.state": "idle" })
}

function poolOf({ name, address }: Client): Attributes {
  return { "db.client.connection.pool.name": name ?? address }
}
