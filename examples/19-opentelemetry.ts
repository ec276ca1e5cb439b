// OpenTelemetry: an HTTP request that reads a cache, as spans. The application brings the SDK; here it prints what it gets.
import assert from "node:assert/strict"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { context, SpanKind, trace } from "@opentelemetry/api"
import { AsyncLocalStorageContextManager } from "@opentelemetry/context-async-hooks"
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  type ReadableSpan,
  SimpleSpanProcessor,
} from "@opentelemetry/sdk-trace-base"
import { Redix } from "@redix/client"
import { instrument } from "@redix/client/opentelemetry"

const url = process.env["REDIS_URL"] ?? "redis://localhost:6379"
const key = (id: string) => `redix-example:18:user:${id}`

// What an application does once, when it starts; most have this from @opentelemetry/sdk-node.
const exporter = new InMemorySpanExporter()
trace.setGlobalTracerProvider(
  new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] }),
)
context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable())

// From here on, requests of all clients are spans: within the span of whoever issues them.
const undo = instrument({ requireParentSpan: true })

const cache = await Redix.connect(url, { name: "cache" })
const tracer = trace.getTracer("example")

async function user(id: string): Promise<string> {
  const known = await cache.command(["GET", key(id)])
  if (known !== null) return known
  const loaded = await tracer.startActiveSpan("load from the database", async (span) => {
    span.end()
    return JSON.stringify({ id, name: "Ada" })
  })
  await cache.pipeline([
    ["SET", key(id), loaded],
    ["EXPIRE", key(id), 60],
  ])
  return loaded
}

const server = createServer((request, response) => {
  tracer.startActiveSpan(`${request.method} /user`, { kind: SpanKind.SERVER }, (span) => {
    void user(request.url?.slice(1) ?? "").then((body) => {
      response.end(body)
      span.end()
    })
  })
})
await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
const { port } = server.address() as AddressInfo

for (const _ of [1, 2]) {
  const response = await fetch(`http://127.0.0.1:${port}/7`)
  assert.deepEqual(await response.json(), { id: "7", name: "Ada" })
}

const spans = exporter.getFinishedSpans()
const roots = spans.filter(({ kind }) => kind === SpanKind.SERVER)
for (const root of roots) show(root, "")

function show(span: ReadableSpan, indent: string): void {
  const { "db.query.text": text, "db.operation.batch.size": size } = span.attributes
  const [seconds, nanoseconds] = span.duration
  const more = text === undefined ? "" : `  [${text}]${size === undefined ? "" : ` ${size} commands`}`
  console.log(`${indent}${span.name}  ${(seconds * 1000 + nanoseconds / 1e6).toFixed(1)} ms${more}`)
  for (const child of childrenOf(span)) show(child, `${indent}  `)
}

function childrenOf(span: ReadableSpan): ReadableSpan[] {
  return spans.filter(({ parentSpanContext }) => parentSpanContext?.spanId === span.spanContext().spanId)
}

// The first request found nothing and filled the cache, the second found it. No value and no key is told.
const [first, second] = roots.map((root) =>
  childrenOf(root).map(({ name }) => name.split(" ").slice(0, -1).join(" ")),
)
assert.deepEqual(first, ["GET", "load from the", "PIPELINE"])
assert.deepEqual(second, ["GET"])
assert.ok(!JSON.stringify(spans.map(({ attributes }) => attributes)).includes("Ada"))

undo()
await cache.command(["DEL", key("7")])
await cache.close()
server.close()
server.closeAllConnections()
