/** `@redix/client/opentelemetry` with the real SDK: spans and metrics as the conventions want them. */
import assert from "node:assert/strict"
import { describe, type TestContext, test } from "node:test"
import { type Attributes, context, SpanKind, SpanStatusCode, trace } from "@opentelemetry/api"
import { AsyncLocalStorageContextManager } from "@opentelemetry/context-async-hooks"
import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from "@opentelemetry/sdk-metrics"
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  type ReadableSpan,
  SimpleSpanProcessor,
} from "@opentelemetry/sdk-trace-base"
import * as stable from "@opentelemetry/semantic-conventions"
import * as incubating from "@opentelemetry/semantic-conventions/incubating"
import { channels, Pool, Redix } from "@redix/client"
import { type InstrumentOptions, instrument } from "@redix/client/opentelemetry"
import type { FakeConnection } from "../../support/fake-server.ts"
import { RedisServer } from "../../support/server.ts"
import { until } from "../../support/wait.ts"
import { keyA, keyB, scripted } from "../contract/cluster/setup.ts"
import { closing, fakeServer, misuse, runNode, sharedServer, uniqueKey } from "../contract/helpers.ts"

context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable())
const server = await sharedServer()

interface Collected {
  readonly spans: ReadableSpan[]
  readonly tracers: BasicTracerProvider
  undo(): void
  /** The data points of a metric. */
  points(name: string): Promise<{ value: unknown; attributes: Attributes }[]>
}

function collected(t: TestContext, options: InstrumentOptions = {}): Collected {
  const exporter = new InMemorySpanExporter()
  const tracers = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] })
  const metrics = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE)
  const reader = new PeriodicExportingMetricReader({ exporter: metrics, exportIntervalMillis: 3_600_000 })
  const meters = new MeterProvider({ readers: [reader] })
  const undo = instrument({ tracerProvider: tracers, meterProvider: meters, ...options })
  t.after(async () => {
    undo()
    await meters.shutdown()
  })
  return {
    get spans() {
      return exporter.getFinishedSpans()
    },
    tracers,
    undo,
    points: async (name) => {
      metrics.reset()
      await reader.forceFlush()
      const all = metrics
        .getMetrics()
        .flatMap(({ scopeMetrics }) => scopeMetrics.flatMap((scope) => scope.metrics))
      const found = all.find(({ descriptor }) => descriptor.name === name)
      return (found?.dataPoints ?? []).map(({ value, attributes }) => ({ value, attributes }))
    },
  }
}

function only<T>(items: readonly T[]): T {
  assert.equal(items.length, 1)
  return items[0] as T
}

describe("a span", () => {
  test("of a command has its name and attributes by the conventions", async (t) => {
    const conn = closing(t, await Redix.connect({ host: "127.0.0.1", port: server.port, database: 2 }))
    const all = collected(t)
    await conn.command(["HSET", uniqueKey(), "field", "s3cret"])
    const span = only(all.spans)
    assert.equal(span.name, `HSET 127.0.0.1:${server.port}`)
    assert.equal(span.kind, SpanKind.CLIENT)
    assert.equal(span.status.code, SpanStatusCode.UNSET)
    assert.deepEqual(span.attributes, {
      [stable.ATTR_DB_SYSTEM_NAME]: "redis",
      [stable.ATTR_DB_NAMESPACE]: "2",
      [stable.ATTR_DB_OPERATION_NAME]: "HSET",
      [stable.ATTR_DB_QUERY_TEXT]: "HSET ? ? ?",
      [stable.ATTR_SERVER_ADDRESS]: "127.0.0.1",
      [stable.ATTR_SERVER_PORT]: server.port,
      [stable.ATTR_NETWORK_PEER_ADDRESS]: "127.0.0.1",
      [stable.ATTR_NETWORK_PEER_PORT]: server.port,
    })
    assert.equal(span.instrumentationScope.name, "@redix/client")
  })

  test("of several commands tells how many, and what they have in common", async (t) => {
    const conn = closing(t, await Redix.connect({ port: server.port }))
    const all = collected(t)
    await conn.pipeline([
      ["GET", "a"],
      ["GET", "b"],
      ["GET", "c"],
    ])
    await conn.pipeline([
      ["GET", "a"],
      ["set", "b", 1],
    ])
    await conn.pipeline([["GET", "a"]])
    await conn.transactionPipeline([
      ["INCR", "n"],
      ["INCR", "n"],
    ])
    await conn.transactionPipeline([
      ["INCR", "n"],
      ["GET", "n"],
    ])
    await conn.transactionPipeline([["INCR", "n"]])
    await conn.noreplyPipeline([
      ["INCR", "n"],
      ["INCR", "n"],
    ])
    await conn.noreplyCommand(["CONFIG", "SET", "maxmemory", 0])
    await conn.command(["CONFIG", "GET", "requirepass"])
    const seen = all.spans.map(({ attributes }) => [
      attributes[stable.ATTR_DB_OPERATION_NAME],
      attributes[stable.ATTR_DB_OPERATION_BATCH_SIZE],
      attributes[stable.ATTR_DB_QUERY_TEXT],
    ])
    assert.deepEqual(seen, [
      ["PIPELINE GET", 3, "GET ?"],
      ["PIPELINE", 2, "GET ?; set ? ?"],
      ["GET", undefined, "GET ?"],
      ["MULTI INCR", 2, "INCR ?"],
      ["MULTI", 2, "INCR ?; GET ?"],
      ["INCR", undefined, "INCR ?"],
      ["PIPELINE INCR", 2, "INCR ?"],
      ["CONFIG", undefined, "CONFIG SET ? ?"],
      ["CONFIG", undefined, "CONFIG GET ?"],
    ])
  })

  test("of a script or a function names that", async (t) => {
    const conn = closing(t, await Redix.connect({ port: server.port }))
    const all = collected(t)
    const sha = String(await conn.command(["SCRIPT", "LOAD", "return 1"]))
    await conn.command(["EVALSHA", sha, 0])
    const span = all.spans.at(-1)
    assert.equal(span?.name, `EVALSHA ${sha}`)
    assert.equal(span?.attributes[stable.ATTR_DB_STORED_PROCEDURE_NAME], sha)
  })

  test("of what fails tells what with, and not more than that of a server's error", async (t) => {
    const fake = await fakeServer(t, ([name]) =>
      name === "GET" ? "" : name === "BAD" ? "-WRONGPASS s3cret\r\n" : undefined,
    )
    const conn = closing(t, await Redix.connect({ port: fake.port }))
    const all = collected(t)
    await assert.rejects(conn.command(["BAD"]))
    await assert.rejects(conn.command(["GET", "a"], { timeout: 10 }))
    await assert.rejects(conn.command(["GET", "a"], { signal: AbortSignal.abort() }))
    await misuse(() => conn.command([] as never))
    const seen = all.spans.map(({ attributes, status }) => [
      status.code,
      status.message,
      attributes[stable.ATTR_ERROR_TYPE],
      attributes[stable.ATTR_DB_RESPONSE_STATUS_CODE],
    ])
    assert.deepEqual(seen, [
      [SpanStatusCode.ERROR, "WRONGPASS", "WRONGPASS", "WRONGPASS"],
      [SpanStatusCode.ERROR, "no reply to GET within 10 ms", "timeout", undefined],
      [SpanStatusCode.ERROR, "This operation was aborted", "AbortError", undefined],
    ])
  })

  test("has its query text as one wants it", async (t) => {
    const conn = closing(t, await Redix.connect({ port: server.port }))
    const full = collected(t, { queryText: "full" })
    const none = collected(t, { queryText: "none" })
    await conn.pipeline([
      ["SET", "a key", "it's"],
      ["SET", "k", Buffer.from([1, 2])],
      ["CONFIG", "SET", "masterauth", ""],
    ])
    await conn.safe.command(["AUTH", "s3cret"])
    assert.deepEqual(
      full.spans.map(({ attributes }) => attributes[stable.ATTR_DB_QUERY_TEXT]),
      [`SET "a key" "it's"; SET k <2 bytes>; CONFIG SET masterauth [redacted]`, "AUTH [redacted]"],
    )
    assert.ok(none.spans.every(({ attributes }) => !(stable.ATTR_DB_QUERY_TEXT in attributes)))
    await conn.command(["MGET", ...Array.from({ length: 5000 }, (_, index) => `key:${index}`)])
    for (const { spans } of [full])
      assert.equal(String(spans.at(-1)?.attributes[stable.ATTR_DB_QUERY_TEXT]).length, 1025)
  })

  test("is a child of the caller's span, and leaves the caller's context alone", async (t) => {
    const conn = closing(t, await Redix.connect({ port: server.port }))
    const all = collected(t, {
      requireParentSpan: true,
      onSpan: (span, { metadata }) => span.setAttribute("app.user", String(metadata)),
    })
    const tracer = all.tracers.getTracer("app")
    await conn.command(["GET", "outside"])
    await Promise.all(
      [1, 2, 3].map((user) =>
        tracer.startActiveSpan(`request ${user}`, async (parent) => {
          await conn.command(["GET", "a"], { metadata: user })
          assert.equal(trace.getActiveSpan(), parent)
          parent.end()
        }),
      ),
    )
    const parents = new Map(all.spans.map((span) => [span.spanContext().spanId, span.name]))
    const children = all.spans.filter(({ kind }) => kind === SpanKind.CLIENT)
    assert.equal(children.length, 3)
    for (const { parentSpanContext, attributes } of children)
      assert.equal(parents.get(parentSpanContext?.spanId ?? ""), `request ${attributes["app.user"]}`)
  })

  test("of a cluster tells the cluster's addresses and the node that has answered", async (t) => {
    const { cluster, a } = await scripted(t)
    const all = collected(t)
    await cluster.command(["GET", keyA()])
    await cluster.pipeline([
      ["GET", keyA()],
      ["GET", keyB()],
    ])
    const [one, several] = all.spans
    assert.equal(one?.attributes[stable.ATTR_SERVER_ADDRESS], cluster.address)
    assert.ok(!(stable.ATTR_SERVER_PORT in (one?.attributes ?? {})))
    assert.equal(one?.attributes[stable.ATTR_NETWORK_PEER_ADDRESS], "127.0.0.1")
    assert.equal(one?.attributes[stable.ATTR_NETWORK_PEER_PORT], a.port)
    assert.ok(!(stable.ATTR_NETWORK_PEER_PORT in (several?.attributes ?? {})))
  })

  test("of a Unix domain socket tells its path", async (t) => {
    const own = await RedisServer.start({ unixSocket: true })
    t.after(() => own.stop())
    const conn = closing(t, await Redix.connect({ path: own.path }))
    const all = collected(t)
    await conn.command(["PING"])
    const { name, attributes } = only(all.spans)
    assert.equal(name, `PING ${own.path}`)
    assert.equal(attributes[stable.ATTR_SERVER_ADDRESS], own.path)
    assert.equal(attributes[stable.ATTR_NETWORK_PEER_ADDRESS], own.path)
    assert.equal(attributes[stable.ATTR_NETWORK_TRANSPORT], "unix")
    assert.ok(!(stable.ATTR_SERVER_PORT in attributes))
  })
})

describe("metrics", () => {
  test("count durations in seconds, by operation and error", async (t) => {
    const conn = closing(t, await Redix.connect({ port: server.port }))
    const all = collected(t)
    for (let i = 0; i < 5; i++) await conn.command(["GET", "a"])
    await conn.safe.command(["NO-SUCH"])
    const points = await all.points(stable.METRIC_DB_CLIENT_OPERATION_DURATION)
    const of = (name: string) =>
      points.find(({ attributes }) => attributes[stable.ATTR_DB_OPERATION_NAME] === name)
    const gets = of("GET")?.value as { count: number; sum: number; buckets: { boundaries: number[] } }
    assert.equal(gets.count, 5)
    assert.ok(gets.sum > 0 && gets.sum < 5)
    assert.deepEqual(gets.buckets.boundaries, [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10])
    assert.deepEqual(of("NO-SUCH")?.attributes, {
      [stable.ATTR_DB_SYSTEM_NAME]: "redis",
      [stable.ATTR_DB_NAMESPACE]: "0",
      [stable.ATTR_DB_OPERATION_NAME]: "NO-SUCH",
      [stable.ATTR_SERVER_ADDRESS]: "localhost",
      [stable.ATTR_SERVER_PORT]: server.port,
      [stable.ATTR_ERROR_TYPE]: "ERR",
      [stable.ATTR_DB_RESPONSE_STATUS_CODE]: "ERR",
    })
  })

  test("tell of the connections of clients that are heard of, until they are closed", async (t) => {
    const all = collected(t)
    const pool = await Pool.connect({ port: server.port, size: 2, name: "otel-pool", maxDedicated: 1 })
    t.after(() => pool.destroy())
    await until(() => pool.stats().connections.filter(({ status }) => status === "connected").length === 2)
    const blocked = pool.safe.command(["BLPOP", uniqueKey(), 30])
    const waiting = pool.safe.command(["BLPOP", uniqueKey(), 30])
    await until(() => pool.stats().inFlight === 1)
    const count = await all.points(incubating.METRIC_DB_CLIENT_CONNECTION_COUNT)
    const name = incubating.ATTR_DB_CLIENT_CONNECTION_POOL_NAME
    const states = count
      .filter(({ attributes }) => attributes[name] === "otel-pool")
      .map(({ value, attributes }) => [attributes[incubating.ATTR_DB_CLIENT_CONNECTION_STATE], value])
    assert.deepEqual(Object.fromEntries(states), {
      [incubating.DB_CLIENT_CONNECTION_STATE_VALUE_USED]: 1,
      [incubating.DB_CLIENT_CONNECTION_STATE_VALUE_IDLE]: 2,
    })
    const pending = await all.points(incubating.METRIC_DB_CLIENT_CONNECTION_PENDING_REQUESTS)
    assert.equal(pending.find(({ attributes }) => attributes[name] === "otel-pool")?.value, 1)
    pool.destroy()
    await Promise.all([blocked, waiting])
  })
})

describe("instrument", () => {
  test("is undone by what it returns: what is under way ends, nothing else begins, and then nobody listens", async (t) => {
    const held: FakeConnection[] = []
    const fake = await fakeServer(t, ([name], connection) => {
      if (name !== "GET") return undefined
      held.push(connection)
      return ""
    })
    const conn = closing(t, await Redix.connect({ port: fake.port, clientInfo: false }))
    const other = closing(t, await Redix.connect({ port: server.port }))
    const all = collected(t)
    const answered = conn.command(["GET", "a"])
    const timedOut = conn.safe.command(["GET", "b"], { timeout: 20 })
    all.undo()
    all.undo()
    await other.command(["PING"])
    await timedOut
    assert.equal(channels.pipeline.start.hasSubscribers, false)
    assert.equal(channels.pipeline.asyncEnd.hasSubscribers, true)
    await until(() => held.length === 2)
    for (const connection of held) connection.write("$-1\r\n")
    await answered
    assert.deepEqual(
      all.spans.map(({ name, status }) => [name.split(" ")[0], status.code]),
      [
        ["GET", SpanStatusCode.ERROR],
        ["GET", SpanStatusCode.UNSET],
      ],
    )
    assert.equal(channels.pipeline.hasSubscribers, false)
    const durations = await all.points(stable.METRIC_DB_CLIENT_OPERATION_DURATION)
    assert.equal(durations.length, 2)
  })

  test("is undone at once where nothing is under way", async (t) => {
    const conn = closing(t, await Redix.connect({ port: server.port }))
    const all = collected(t)
    await conn.command(["PING"])
    all.undo()
    assert.equal(channels.pipeline.hasSubscribers, false)
    await conn.command(["PING"])
    assert.equal(all.spans.length, 1)
  })

  test("passes over no listener when it goes with the last request", async (t) => {
    const conn = closing(t, await Redix.connect({ port: server.port }))
    const all = collected(t)
    let heard = 0
    const listeners = { asyncEnd: () => void heard++ }
    channels.pipeline.subscribe(listeners)
    t.after(() => channels.pipeline.unsubscribe(listeners))
    const under = conn.command(["PING"])
    all.undo()
    await under
    assert.equal(heard, 1)
  })

  test("ends a span also where onSpan throws, which surfaces", async () => {
    const { stdout, stderr } = await runNode(`
      import { Redix } from "@redix/client"
      import { instrument } from "@redix/client/opentelemetry"
      import { trace } from "@opentelemetry/api"
      let ended = 0
      const span = { setAttributes() {}, setStatus() {}, end: () => ended++ }
      const tracerProvider = { getTracer: () => ({ startSpan: () => Object.assign(trace.wrapSpanContext({}), span) }) }
      const thrown = []
      process.on("uncaughtException", (error) => thrown.push(error.message))
      const undo = instrument({ tracerProvider, onSpan() { throw new Error("of the hook") } })
      const conn = await Redix.connect({ port: ${server.port} })
      console.log(await conn.command(["PING"]))
      await conn.close()
      undo()
      console.log(ended, thrown.join())`)
    assert.equal(stdout, "PONG\n1 of the hook\n", stderr)
  })

  test("works without any SDK, by import and by require", async () => {
    const source = (load: string) => `
      ${load}
      const undo = instrument()
      const main = async () => {
        const conn = await Redix.connect({ port: ${server.port} })
        console.log(await conn.command(["PING"]))
        await conn.close()
        undo()
      }
      main()`
    const imported = await runNode(
      source(
        'import { Redix } from "@redix/client"; import { instrument } from "@redix/client/opentelemetry"',
      ),
    )
    assert.equal(imported.stdout, "PONG\n", imported.stderr)
    const required = await runNode(
      source(
        'const { Redix } = require("@redix/client"); const { instrument } = require("@redix/client/opentelemetry")',
      ),
      { type: "commonjs" },
    )
    assert.equal(required.stdout, "PONG\n", required.stderr)
  })

  test("is not loaded by the main entry, and neither is its peer", async () => {
    const { stdout, stderr } = await runNode(
      `require("@redix/client"); console.log(Object.keys(require.cache).filter((f) => /opentelemetry/.test(f)).length)`,
      { type: "commonjs" },
    )
    assert.equal(stdout, "0\n", stderr)
  })
})
