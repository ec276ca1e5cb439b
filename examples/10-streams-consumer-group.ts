// A stream read by a group of consumers: each entry goes to one of them, and stays pending until it is acknowledged.
import assert from "node:assert/strict"
import { Redix, type Reply } from "@redix/client"

const url = process.env["REDIS_URL"] ?? "redis://localhost:6379"
const stream = "redix-example:10:orders"
const group = "billing"

interface Entry {
  readonly id: string
  readonly fields: Readonly<Record<string, string>>
}

/** Entries as the server sends them, [[id, [field, value, …]], …], as objects. */
function entriesIn(reply: Reply | undefined): Entry[] {
  return arrayOf(reply).map((entry) => {
    const [id, fields] = arrayOf(entry)
    const texts = arrayOf(fields).map(String)
    const pairs = texts.flatMap((text, i) => (i % 2 === 0 ? [[text, texts[i + 1] ?? ""]] : []))
    return { id: String(id), fields: Object.fromEntries(pairs) }
  })
}

function arrayOf(reply: Reply | undefined): readonly Reply[] {
  return Array.isArray(reply) ? reply : []
}

/** New entries for this consumer; none if nothing comes within `blockMs` ms. */
async function readNew(conn: Redix, consumer: string, count: number, blockMs: number): Promise<Entry[]> {
  // The block time is added to the usual timeout of a request.
  const reply: Reply = await conn.command([
    "XREADGROUP",
    "GROUP",
    group,
    consumer,
    "COUNT",
    count,
    "BLOCK",
    blockMs,
    "STREAMS",
    stream,
    ">",
  ])
  // One element for each stream asked for: [name, entries].
  const [first] = arrayOf(reply)
  return entriesIn(arrayOf(first)[1])
}

const conn = await Redix.connect(url)
await conn.command(["DEL", stream])
await conn.command(["XGROUP", "CREATE", stream, group, "$", "MKSTREAM"])

// A producer. MAXLEN ~ keeps the stream from growing without end.
for (const amount of [10, 20, 30]) {
  await conn.command(["XADD", stream, "MAXLEN", "~", 10_000, "*", "amount", amount, "currency", "EUR"])
}

// Two consumers share the entries. A reader that blocks gets a connection of its own.
const reader = conn.duplicate()
const byAnna = await readNew(reader, "anna", 2, 1000)
const byBen = await readNew(reader, "ben", 2, 1000)
assert.deepEqual(
  [...byAnna, ...byBen].map(({ fields }) => fields["amount"]),
  ["10", "20", "30"],
)
console.log("anna got", byAnna)
console.log("ben got", byBen)

// Anna is done with hers.
const acknowledged = await conn.command(["XACK", stream, group, ...byAnna.map(({ id }) => id)])
assert.equal(acknowledged, 2)

// Ben has died. His entry is pending; whoever looks after such entries takes over those that are idle for too long.
const pending = await conn.command(["XPENDING", stream, group])
assert.ok(Array.isArray(pending))
assert.equal(pending[0], 1)

const claimed: Reply = await conn.command(["XAUTOCLAIM", stream, group, "anna", 0, "0-0"])
const takenOver = entriesIn(arrayOf(claimed)[1])
assert.deepEqual(
  takenOver.map(({ fields }) => fields["amount"]),
  ["30"],
)
await conn.command(["XACK", stream, group, ...takenOver.map(({ id }) => id)])
console.log("anna took over", takenOver)

// Nothing is left: the read waits for its block time, then comes back with nothing.
assert.deepEqual(await readNew(reader, "anna", 10, 50), [])

await conn.command(["DEL", stream])
await Promise.all([conn.close(), reader.close()])
