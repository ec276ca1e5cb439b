// One client's own process: does what the parent asks, one thing after the other, and ends when the parent lets go.
// Knows the client by its adapter only, and leaves rounds, comparison and output to the parent.
import { loadClient, loadCluster, loadSubscriber } from "./clients/registry.ts"
import type { Answer, Request, Targets } from "./messages.ts"
import { workloadNamed } from "./workloads/all.ts"
import type { Bench, Sample } from "./workloads/workload.ts"

let bench: Bench | undefined

process.on("message", (request: Request) => {
  handle(request).then(
    (sample) => answer(sample === undefined ? { ok: true } : { ok: true, sample }),
    (error: unknown) => answer({ ok: false, error: describe(error) }),
  )
})
process.on("disconnect", () => process.exit())
// A workload awaits all its requests, but some of them late: that one fails meanwhile must not end the process.
process.on("unhandledRejection", () => {})

async function handle(request: Request): Promise<Sample | undefined> {
  if (request.kind === "open") {
    bench = await open(request)
    return undefined
  }
  if (bench === undefined) throw new Error("not open")
  const workload = workloadNamed(request.workload)
  if (request.kind === "measure") return workload.measure(bench)
  await workload.prepare(bench, request.seconds)
  return undefined
}

async function open({ client, targets }: Extract<Request, { kind: "open" }>): Promise<Bench> {
  const connect = await loadClient(client)
  return {
    url: targets.server,
    client: await connect(targets.server),
    connect: (url = targets.server) => connect(url),
    connectSubscriber: async () => (await loadSubscriber(client))(targets.server),
    splitUrl: (pieceBytes) => splitUrl(targets, pieceBytes),
    connectCluster: async () => (await loadCluster(client))(targets.cluster),
    nodesUrl: (count) => nodesUrl(targets, count),
  }
}

function splitUrl({ split }: Targets, pieceBytes: number): string {
  const url = split[pieceBytes]
  if (url === undefined) throw new Error(`no proxy cuts into ${pieceBytes} bytes`)
  return url
}

function nodesUrl({ nodes }: Targets, count: number): string {
  const url = nodes[count]
  if (url === undefined) throw new Error(`there is no cluster of ${count} nodes`)
  return url
}

function answer(message: Answer): void {
  process.send?.(message)
}

function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  return error.cause instanceof Error ? `${error.message} (${error.cause.message})` : error.message
}
