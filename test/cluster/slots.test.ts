/** Slots are those of a real server, for whatever may be a key. */
import assert from "node:assert/strict"
import { after, before, describe, it } from "node:test"
import { type Argument, Redix } from "@redix/client"
import fc from "fast-check"
import { SLOTS, slotOf } from "../../src/cluster/slots.ts"
import { RedisServer } from "../../support/server.ts"
import { slotOf as slotBitByBit } from "../../support/slots.ts"

/** Text in which braces, letters beyond ASCII and halves of pairs are as likely as anything else. */
const braced = fc.string({
  unit: fc.constantFrom("{", "}", "a", "b", "é", "漢", "😀", "\ud83d", "\0", "\u007f", "\u0080"),
  maxLength: 12,
})
const text = fc.oneof(braced, fc.string(), fc.string({ unit: "binary" }), fc.string({ unit: "grapheme" }))
const bracedBytes = fc
  .array(fc.constantFrom(123, 125, 0, 97, 128, 255), { maxLength: 12 })
  .map((bytes) => Uint8Array.from(bytes))
const bytes = fc.oneof(bracedBytes, fc.uint8Array({ maxLength: 40 }))

describe("slotOf", () => {
  it("is CRC16 as XMODEM has it, modulo 16384", () => {
    assert.equal(slotOf("123456789"), 0x31c3 % SLOTS)
    assert.equal(slotOf("foo"), 12_182)
    assert.equal(slotOf("bar"), 5061)
    assert.equal(slotOf("hello"), 866)
    assert.equal(slotOf(""), 0)
  })

  it("goes by the first hash tag, unless that is empty or has no end", () => {
    assert.equal(slotOf("{user1000}.following"), slotOf("user1000"))
    assert.equal(slotOf("foo{bar}{zap}"), slotOf("bar"))
    assert.equal(slotOf("foo{{bar}}zap"), slotOf("{bar"))
    assert.equal(slotOf("}{a}"), slotOf("a"))
    for (const whole of ["foo{}{bar}", "{", "}", "{}", "{bar", "bar}", "}bar{"])
      assert.equal(slotOf(whole), slotBitByBit(whole), whole)
  })

  it("is the same for text, its bytes, and a view of these in the middle of others", () => {
    fc.assert(
      fc.property(text, (key) => {
        const encoded = Buffer.from(key)
        const around = Buffer.concat([Buffer.from("{x}"), encoded, Buffer.from("{y}")])
        assert.equal(slotOf(encoded), slotOf(key))
        assert.equal(
          slotOf(new Uint8Array(around.buffer, around.byteOffset + 3, encoded.length)),
          slotOf(key),
        )
      }),
    )
  })

  it("is what bit by bit makes of any text and any bytes", () => {
    fc.assert(fc.property(fc.oneof(text, bytes), (key) => assert.equal(slotOf(key), slotBitByBit(key))))
  })

  it("is that of a number as it is written in a command", () => {
    for (const key of [0, -0, -1, 1.5, 2 ** 53, 123456789n, 10n ** 30n])
      assert.equal(slotOf(key), slotBitByBit(String(key)))
  })

  it("is some slot for what is no argument, which the encoding refuses", () => {
    for (const key of [undefined, null, {}, [], true, () => 1, Symbol("key"), new Uint16Array(1)]) {
      const slot = slotOf(key)
      assert.ok(slot >= 0 && slot < SLOTS)
    }
  })
})

describe("a real server", () => {
  let server: RedisServer
  let connection: Redix

  before(async () => {
    server = await RedisServer.start({ args: ["--cluster-enabled", "yes"] })
    connection = await Redix.connect(server.url)
  })

  after(async () => {
    connection?.destroy()
    await server?.stop()
  })

  it("says the same of random keys", async () => {
    await assertSame(fc.sample(fc.oneof(text, bytes, fc.integer(), fc.bigInt()), 4000))
  })

  it("says the same of numbers that JavaScript writes with an exponent, and a command does not", () =>
    assertSame([1e21, -2.5e30, 1e-7, 5e-324, Number.POSITIVE_INFINITY]))

  async function assertSame(keys: readonly Argument[]): Promise<void> {
    const slots = await connection.pipeline(keys.map((key) => ["CLUSTER", "KEYSLOT", key]))
    for (const [index, key] of keys.entries()) assert.equal(slotOf(key), slots[index], String(key))
  }
})
