/** The recorder itself: it must notice every violation, or the other tests of this folder prove nothing. */
import assert from "node:assert/strict"
import { test } from "node:test"
import { ConnectionError, RedisError } from "@redix/client"
import { type Connection, Recorder } from "./invariants.ts"

/** A connection that answers everything with `promise`. */
function answering(answer: () => Promise<unknown>): Connection {
  return {
    command: answer,
    pipeline: answer,
    transactionPipeline: answer,
    noreplyCommand: answer,
    noreplyPipeline: answer,
  }
}

/** A server on which every counter has this value. */
function counters(...values: (string | null)[]) {
  return (_name: string, ...keys: string[]): Promise<unknown> =>
    Promise.resolve(keys.map((_key, index) => values[index % values.length]))
}

async function violationsOf(
  answer: () => Promise<unknown>,
  call: (calls: ReturnType<Recorder["wrap"]>) => Promise<unknown>,
  ...values: (string | null)[]
): Promise<string> {
  const recorder = new Recorder({ graceMs: 20 })
  void call(recorder.wrap(answering(answer), { timeout: 20 }))
  return (await recorder.violations(values.length > 0 ? counters(...values) : undefined)).join("; ")
}

test("notices a call that hangs", async () => {
  assert.match(
    await violationsOf(
      () => new Promise(() => undefined),
      (calls) => calls.echo(),
    ),
    /hangs/,
  )
})

test("notices a call that settles too late", async () => {
  const late = () => new Promise<string>((resolve) => setTimeout(resolve, 150, "late"))
  const recorder = new Recorder({ graceMs: 20 })
  const calls = recorder.wrap(answering(late), { timeout: 20 })
  await calls.command(["PING"])
  assert.match((await recorder.violations()).join(), /took \d+ ms/)
})

test("notices the reply of another call", async () => {
  assert.match(
    await violationsOf(
      () => Promise.resolve("other"),
      (calls) => calls.echo(),
    ),
    /got the reply/,
  )
})

test("notices an error that is not documented", async () => {
  const rejecting = (error: unknown) =>
    violationsOf(
      () => Promise.reject(error),
      (calls) => calls.echo(),
    )
  assert.match(await rejecting(new Error("write EPIPE")), /rejected with/)
  assert.match(await rejecting(new TypeError("of nobody's misuse")), /rejected with/)
  assert.match(await rejecting(new ConnectionError("wrong-role", "not of one connection")), /unknown reason/)
  assert.equal(await rejecting(new RedisError("ERR legal")), "")
  assert.equal(await rejecting(new ConnectionError("timeout", "legal")), "")
})

test("accepts the reason of a signal only once it is aborted", async () => {
  const reason = new Error("changed my mind")
  const call = async (signal: AbortSignal) => {
    const recorder = new Recorder({ graceMs: 20 })
    await recorder.wrap(answering(() => Promise.reject(reason))).echo({ signal })
    return (await recorder.violations()).join("; ")
  }
  assert.equal(await call(AbortSignal.abort(reason)), "")
  assert.match(await call(new AbortController().signal), /rejected with/)
  assert.match(await call(AbortSignal.abort(new Error("another one"))), /rejected with/)
})

test("notices a misuse that is not refused", async () => {
  const recorder = new Recorder({ graceMs: 20 })
  const calls = recorder.wrap(answering(() => Promise.resolve("OK")))
  await calls.command(["SUBSCRIBE", "a"], undefined, { misuse: true })
  assert.match((await recorder.violations()).join(), /not refused/)
})

test("notices a write that ran twice, in part, in spite of its rejection, or not in spite of its reply", async () => {
  const ok = () => Promise.resolve(1)
  const both = () => Promise.resolve([1, 1])
  const rejecting = (error: Error) => () => Promise.reject(error)
  const notSent = rejecting(new ConnectionError("closed", "c", { outcome: "not-sent" }))
  const unknown = rejecting(new ConnectionError("disconnected", "d", { outcome: "unknown" }))
  assert.match(await violationsOf(ok, (calls) => calls.incr(), "2"), /more than once/)
  assert.match(await violationsOf(ok, (calls) => calls.incr(), null), /lost although acknowledged/)
  assert.match(await violationsOf(unknown, (calls) => calls.incr(), "2"), /more than once/)
  assert.match(await violationsOf(unknown, (calls) => calls.incrAtomically(2), "1", null), /in part/)
  assert.match(await violationsOf(notSent, (calls) => calls.incr(), "1"), /says it did not/)
  assert.match(await violationsOf(rejecting(new RedisError("ERR")), (calls) => calls.incr(), "1"), /did not/)
  assert.equal(await violationsOf(ok, (calls) => calls.incr(), "1"), "")
  assert.equal(await violationsOf(both, (calls) => calls.incrAtomically(2), "1"), "")
  assert.equal(await violationsOf(unknown, (calls) => calls.incr(), "1"), "")
  assert.equal(await violationsOf(unknown, (calls) => calls.incr(), null), "")
  assert.equal(await violationsOf(notSent, (calls) => calls.incrSilently(3), null), "")
})
