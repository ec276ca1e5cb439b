import assert from "node:assert/strict"
import { describe, it } from "node:test"
import { discard } from "../../src/connection/discard.ts"
import type { Transport, TransportEvents } from "../../src/transport/transport.ts"

function failing(): never {
  return assert.fail("the former owner was told something")
}

class FakeTransport implements Transport {
  events: TransportEvents = {
    onOpen: failing,
    target: failing,
    onRead: failing,
    onDrain: failing,
    onClose: failing,
  }
  readonly stage = "open"
  readonly buffered = 0
  readonly isFull = false
  readonly isClosed: boolean
  destroyed = 0

  constructor(isClosed: boolean) {
    this.isClosed = isClosed
  }

  write(): boolean {
    return assert.fail("something was written")
  }

  destroy(): void {
    this.destroyed++
  }

  keepAlive(): void {}
}

describe("discard", () => {
  it("destroys a transport, and resolves once it has closed", async (t) => {
    const transport = new FakeTransport(false)
    const resolved = t.mock.fn()
    const closed = discard(transport).then(resolved)
    assert.equal(transport.destroyed, 1)
    transport.events.onOpen()
    assert.ok(transport.events.target().length > 0)
    transport.events.onRead(5)
    transport.events.onDrain()
    await Promise.resolve()
    assert.equal(resolved.mock.callCount(), 0)
    transport.events.onClose(new Error("reset"))
    await closed
    assert.equal(resolved.mock.callCount(), 1)
  })

  it("resolves at once for one that has closed already", async () => {
    const transport = new FakeTransport(true)
    await discard(transport)
    assert.equal(transport.destroyed, 0)
  })
})
