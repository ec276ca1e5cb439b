import { Redix } from "@redix/client"
import { FakeServer, handshake } from "../../support/fake-server.ts"
const fake = await FakeServer.start((c) => { c.onCommand = (cmd) => cmd[0]==="ECHO" ? `+${cmd[1]}\r\n` : handshake(cmd) })
const conn = await Redix.connect({ host: "127.0.0.1", port: fake.port, backoffInitial: 10 })
const slow = conn.command(["SLOW"]).then(console.log, e => console.log("slow", e.reason, e.outcome, e.final, e.cause?.code))
await fake.connections[0].nextCommand("SLOW")
conn.on("disconnection", e => console.log("disc", e.error.reason, e.error.final))
const close = conn.close()
fake.connections[0].reset()
await slow
console.log("status", conn.status)
await Promise.race([close.then(() => console.log("closed")), new Promise(r => setTimeout(() => r(console.log("close hangs")), 7000))])
console.log(conn.status, fake.connections.length)
// abort
for (const [label, args] of [["small", "1"], ["bytes 200k", Buffer.alloc(200_000, "x")], ["string 200k", "x".repeat(200_000)], ["bytes 1k", Buffer.alloc(1000)], ["bytes 20k", Buffer.alloc(20000)]] as const) {
  const c = await Redix.connect({ host: "127.0.0.1", port: fake.port, backoffInitial: 10 })
  const ctl = new AbortController()
  const b = c.safe.command(["ECHO","before"], {timeout: 1000})
  const x = c.safe.command(["SET","never",args],{signal: ctl.signal})
  const a = c.safe.command(["ECHO","after"], {timeout: 1000})
  ctl.abort()
  const show = (r: any) => r.ok ? r.value : r.error.message
  console.log(label, show(await b), show(await x), show(await a), fake.connections.at(-1)!.received.slice(2).map(w => w.join(" ").slice(0,40)))
  c.destroy()
}
await fake.stop()
process.exit(0)
