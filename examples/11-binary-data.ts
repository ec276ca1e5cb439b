// Bytes in and bytes out, unchanged: images, compressed or encrypted values, anything that is not text.
import assert from "node:assert/strict"
import { gunzipSync, gzipSync } from "node:zlib"
import { Redix } from "@redix/client"

const url = process.env["REDIS_URL"] ?? "redis://localhost:6379"
const key = (name: string) => `redix-example:11:${name}`
const keys = [key("every-byte"), key("page"), key("parts"), key("floats")]

const conn = await Redix.connect(url)
await conn.command(["DEL", ...keys])

// Any Uint8Array is an argument, a Buffer included. It is not copied: leave its bytes alone until the reply is there.
const everyByte = Uint8Array.from({ length: 256 }, (_, i) => i)
await conn.command(["SET", key("every-byte"), everyByte])

// With this encoding the strings of a reply are Buffers, and so say the types.
const back: Buffer | null = await conn.command(["GET", key("every-byte")], { encoding: "buffer" })
assert.deepEqual(new Uint8Array(back ?? []), everyByte)
console.log("256 different bytes came back unchanged")

// Read as text, which is the default, bytes that are no UTF-8 are replaced. What the server has is not touched.
const asText = await conn.command(["GET", key("every-byte")])
assert.ok(asText?.includes("\ufffd"))

// A compressed value.
const page = "<p>the same words again</p>".repeat(1000)
const packed = gzipSync(page)
await conn.command(["SET", key("page"), packed, "EX", 60])
const unpacked = await conn.command(["GET", key("page")], { encoding: "buffer" })
assert.ok(unpacked !== null)
assert.equal(gunzipSync(unpacked).toString(), page)
console.log(`${page.length} bytes, kept as ${packed.length}`)

// The encoding holds for every string in the reply, however deep.
await conn.command(["RPUSH", key("parts"), everyByte.subarray(0, 4), everyByte.subarray(252)])
const parts = await conn.command(["LRANGE", key("parts"), 0, -1], { encoding: "buffer" })
assert.deepEqual(
  parts.map((part) => part.toString("hex")),
  ["00010203", "fcfdfeff"],
)

// Typed arrays of other kinds: their bytes.
const floats = Float64Array.of(Math.PI, Math.E)
await conn.command(["SET", key("floats"), new Uint8Array(floats.buffer)])
const bytes = await conn.command(["GET", key("floats")], { encoding: "buffer" })
assert.ok(bytes !== null)
assert.equal(bytes.readDoubleLE(0), Math.PI)
console.log("two doubles in", bytes.length, "bytes")

await conn.command(["DEL", ...keys])
await conn.close()
