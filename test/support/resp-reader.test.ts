import assert from "node:assert/strict"
import { describe, it } from "node:test"
import { array, bulk, bytes, error, integer, nullBulk, simple } from "../../support/resp-literals.ts"
import { RespReader } from "../../support/resp-reader.ts"

describe("RespReader", () => {
  const wire = bytes(
    simple("OK") +
      error("ERR no") +
      integer(-7) +
      bulk("two\r\nlines, é") +
      nullBulk +
      array() +
      array(bulk(""), array(integer(1), nullBulk), simple("end")),
  )
  const values = ["OK", new Error("ERR no"), -7, "two\r\nlines, é", null, [], ["", [1, null], "end"]]

  it("reads the same values whatever the pieces are", () => {
    for (let size = 1; size <= wire.length; size++) {
      const reader = new RespReader({ encoding: "utf8" })
      const read = []
      for (let offset = 0; offset < wire.length; offset += size) {
        read.push(...reader.push(wire.subarray(offset, offset + size)))
      }
      assert.deepEqual(read, values, `pieces of ${size}`)
    }
  })

  it("reads an inline command where commands are expected", () => {
    const reader = new RespReader({ encoding: "latin1", inline: true })
    assert.deepEqual(reader.push(bytes("PING\r\nget  a\r\n")), [["PING"], ["get", "a"]])
  })

  it("refuses what is no RESP2", () => {
    assert.throws(() => new RespReader({ encoding: "utf8" }).push(bytes("%1\r\n")), /not RESP2/)
  })
})

describe("literals", () => {
  it("keep bytes as bytes", () => {
    const binary = Buffer.from([0xff, 0x0d, 0x0a])
    assert.deepEqual(
      array(bulk("a"), bulk(binary)),
      Buffer.concat([bytes("*2\r\n$1\r\na\r\n$3\r\n"), binary, bytes("\r\n")]),
    )
  })
})
