// Messages recognised by their bytes: every name is found again whatever else was seen, none is taken for another one, and
// what is not a complete message is left alone.
import assert from "node:assert/strict"
import { describe, it } from "node:test"
import fc from "fast-check"
import { type MessageOwner, MessageReader } from "../../src/protocol/message-reader.ts"
import { asBytes } from "../../src/util/bytes.ts"

const WORDS = ["message", "pmessage", "smessage"] as const

interface Topic {
  readonly kind: number
  readonly name: string
  isGone: boolean
}

/** Makes a topic for every name, and says how often it was asked. */
class Topics implements MessageOwner<Topic> {
  readonly topics = new Map<string, Topic>()
  asked = 0

  topicOf(kind: number, name: string): Topic {
    this.asked++
    const key = `${kind} ${name}`
    const topic = this.topics.get(key) ?? { kind, name, isGone: false }
    this.topics.set(key, topic)
    return topic
  }

  isGone(topic: Topic): boolean {
    return topic.isGone
  }
}

function bulk(text: string): string {
  return `$${text.length}\r\n${text}\r\n`
}

function message(
  first: string,
  kind: number,
  name: string,
  payload = "payload",
  channel = "a channel",
): string {
  const parts = [WORDS[kind] ?? "", name, ...(kind === 1 ? [channel] : []), payload]
  return `${first}${parts.length}\r\n${parts.map(bulk).join("")}`
}

function window(text: string): ReturnType<typeof asBytes> {
  return asBytes(Buffer.from(text, "latin1"))
}

const anyName = fc.oneof(
  fc.string({
    maxLength: 12,
    unit: fc.integer({ min: 0, max: 255 }).map((code) => String.fromCharCode(code)),
  }),
  fc.nat(9999).map((number) => `channel:${number}`),
  fc.nat(9999).map((number) => `user:${number}:updates`),
  fc.nat(99).map((number) => `${number}${"long".repeat(40)}`),
)

describe("MessageReader", () => {
  it("finds the topic of every name, of whatever length, however many there are", () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(2), anyName), { maxLength: 400 }), (messages) => {
        const topics = new Topics()
        const reader = new MessageReader(false, topics)
        const all = messages.map(([kind, name]) => message("*", kind, name))
        const bytes = window(all.join(""))
        let position = 0
        for (const [kind, name] of messages) {
          position = reader.read(bytes, position, bytes.length)
          assert.equal(reader.topic, topics.topics.get(`${kind} ${name}`))
          assert.equal(reader.topic?.name, name)
          assert.equal(bytes.latin1Slice(reader.payloadStart, reader.payloadEnd), "payload")
        }
        assert.equal(position, bytes.length)
      }),
    )
  })

  it("keeps ten thousand names apart, and most of three thousand in mind", () => {
    const topics = new Topics()
    const reader = new MessageReader(true, topics)
    for (const count of [10_000, 3000, 3000]) {
      topics.asked = 0
      for (let number = 0; number < count; number++) {
        const bytes = window(message(">", 0, `channel:${number}`))
        assert.equal(reader.read(bytes, 0, bytes.length), bytes.length)
        assert.equal(reader.topic?.name, `channel:${number}`)
      }
    }
    assert.ok(topics.asked < 1500, `${topics.asked} of 3000 were looked up again`)
  })

  it("asks again for a name whose topic is gone", () => {
    const topics = new Topics()
    const reader = new MessageReader(false, topics)
    const bytes = window(message("*", 0, "news"))
    reader.read(bytes, 0, bytes.length)
    const first = reader.topic
    assert.ok(first !== undefined)
    reader.read(bytes, 0, bytes.length)
    assert.equal(topics.asked, 1)
    first.isGone = true
    topics.topics.clear()
    reader.read(bytes, 0, bytes.length)
    assert.notEqual(reader.topic, first)
    assert.equal(reader.topic?.name, "news")
  })

  it("tells the channel of a pattern's message, as text", () => {
    const reader = new MessageReader(false, new Topics())
    for (const channel of ["news.art", "é", "", "x".repeat(300)]) {
      const bytes = window(message("*", 1, "news.*", "!", Buffer.from(channel).toString("latin1")))
      for (let turn = 0; turn < 2; turn++) {
        assert.equal(reader.read(bytes, 0, bytes.length), bytes.length)
        assert.equal(reader.channel, channel)
        assert.equal(reader.topic?.name, "news.*")
      }
    }
  })

  it("leaves everything else to the parser: what is cut anywhere, or looks different at any byte", () => {
    const reader = new MessageReader(false, new Topics())
    for (const kind of [0, 1, 2]) {
      const whole = window(message("*", kind, "news"))
      for (let end = 0; end < whole.length; end++)
        assert.equal(reader.read(whole, 0, end), -1, `cut at ${end}`)
      const framing = whole
        .latin1Slice()
        .replaceAll(/news|payload(?=\r\n$)|a channel/g, (part) => "\0".repeat(part.length))
      for (let index = 0; index < whole.length; index++) {
        if (framing[index] === "\0") continue
        const other = window(whole.latin1Slice())
        other[index] = (whole[index] ?? 0) ^ 0x40
        assert.equal(reader.read(other, 0, other.length), -1, `byte ${index} of kind ${kind}`)
      }
    }
  })
})
