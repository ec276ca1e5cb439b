/** Conformance: what is refused before anything is sent, always as a rejection. */
import assert from "node:assert/strict"
import { describe, test } from "node:test"
import type { Argument } from "@redix/client"
import { misuse, uniqueKey } from "../helpers.ts"
import { type Bed, type Client, desynchronising, keys } from "./bed.ts"

/** The same command as it may also be written. */
function* spellings([name = "", ...rest]: readonly string[]): Generator<Argument[]> {
  yield [name, ...rest]
  yield [name.toLowerCase(), ...rest.map((word) => word.toLowerCase())]
  yield [name.slice(0, 1) + name.slice(1).toLowerCase(), ...rest]
  yield [Buffer.from(name), ...rest.map((word) => Buffer.from(word.toLowerCase()))]
  yield [new Uint8Array(Buffer.from(name.toLowerCase())), ...rest]
}

/** Every way to send a command, next to a write that tells whether anything was sent. */
function ways(client: Client, command: Argument[], key: string): (() => Promise<unknown>)[] {
  const write = ["SET", key, "sent"]
  return [
    () => client.command(command),
    () => client.pipeline([write, command, write]),
    () => client.transactionPipeline([write, command]),
    () => client.noreplyCommand(command),
    () => client.noreplyPipeline([write, command]),
  ]
}

export function misuseCases(bed: Bed): void {
  describe("misuse", () => {
    test("what would desynchronise a connection is a TypeError in every spelling, and nothing is sent", async () => {
      const { client } = bed
      const key = keys()
      for (const command of desynchronising) {
        for (const spelling of spellings(command)) {
          for (const way of ways(client, spelling, key())) await misuse(way, new RegExp(`${command[0]}`, "i"))
        }
      }
      assert.equal(await client.command(["EXISTS", key()]), 0)
      assert.equal(await client.command(["PING"]), "PONG")
    })

    test("the TypeError names what to use instead", async () => {
      const { client } = bed
      for (const name of ["SUBSCRIBE", "psubscribe", "SSUBSCRIBE", "unsubscribe"]) {
        await misuse(() => client.command([name, "c"]), /PubSub/)
      }
      await misuse(() => client.command(["HELLO", "3"]), /protocol/)
      await misuse(() => client.command(["CLIENT", "REPLY", "OFF"]), /noreply/)
    })

    test("what changes the state of a connection that others share is refused likewise", async () => {
      const { client, topology } = bed
      const key = keys()
      for (const command of topology.refused) {
        const words = topology.manyConnections ? [/transactionPipeline|watch|checkout/] : []
        for (const spelling of spellings(command)) {
          for (const way of ways(client, spelling, key())) await misuse(way, ...words)
        }
      }
      assert.equal(await client.command(["EXISTS", key()]), 0)
      assert.equal(await client.command(["PING"]), "PONG")
    })

    test("noreply refuses MULTI, EXEC, DISCARD and WATCH among its commands", async () => {
      const { client } = bed
      const key = keys()
      for (const command of [["MULTI"], ["EXEC"], ["DISCARD"], ["WATCH", key()]]) {
        for (const spelling of [command, command.map((word) => Buffer.from(word))]) {
          await misuse(() => client.noreplyCommand(spelling))
          await misuse(() => client.noreplyPipeline([["SET", key(), "sent"], spelling]))
        }
      }
      await misuse(() => client.noreplyPipeline([["SET", key(), "sent"], ["MULTI"], ["EXEC"]]))
      assert.equal(await client.command(["EXISTS", key()]), 0)
    })

    test("what is no command, no list of commands or no argument is a TypeError, and nothing is sent", async () => {
      const { client } = bed
      const key = keys()
      for (const value of ["PING", undefined, null, 1, {}, Buffer.from("PING"), []]) {
        await misuse(() => client.command(value as never))
        await misuse(() => client.noreplyCommand(value as never))
        await misuse(() => client.pipeline(value as never))
        await misuse(() => client.transactionPipeline(value as never))
        await misuse(() => client.noreplyPipeline(value as never))
        await misuse(() => client.pipeline([["SET", key(), "sent"], value] as never))
        await misuse(() => client.transactionPipeline([["SET", key(), "sent"], value] as never))
        await misuse(() => client.noreplyPipeline([["SET", key(), "sent"], value] as never))
      }
      for (const [argument, got] of [
        [Number.NaN, /NaN/],
        [undefined, /undefined/],
        [null, /null/],
        [true, /true|boolean/i],
        [{}, /object/i],
        [["nested"], /array/i],
      ] as const) {
        await misuse(() => client.command(["SET", key(), argument] as never), /SET/, /2/, got)
        await misuse(() => client.command([argument, key()] as never), /0/, got)
        for (const way of ways(client, ["APPEND", key(), argument as never], key())) {
          await misuse(way, /APPEND/, /2/, got)
        }
      }
      assert.equal(await client.command(["EXISTS", key()]), 0)
    })

    test("unknown options and wrong values are a TypeError that names the option, and nothing is sent", async () => {
      const { client } = bed
      const key = keys()
      const write = ["SET", key(), "sent"]
      for (const [options, names] of [
        [{ timeout: 0 }, /timeout/],
        [{ timeout: Number.NaN }, /timeout/],
        [{ timeout: "100" }, /timeout/],
        [{ signal: {} }, /signal/],
        [{ encoding: "latin1" }, /encoding/],
        [{ timeuot: 100 }, /timeuot/],
        [{ retries: 1 }, /retries/],
      ] as const) {
        await misuse(() => client.command(write, options as never), names)
        await misuse(() => client.pipeline([write], options as never), names)
        await misuse(() => client.transactionPipeline([write], options as never), names)
        await misuse(() => client.noreplyCommand(write, options as never), names)
        await misuse(() => client.noreplyPipeline([write], options as never), names)
      }
      for (const options of [null, 100, "buffer"]) await misuse(() => client.command(write, options as never))
      assert.equal(await client.command(["EXISTS", key()]), 0)
      const none = { timeout: undefined, signal: undefined, encoding: undefined, metadata: undefined }
      assert.equal(await client.command(["PING"], none), "PONG")
    })

    test("is reported as misuse also before it is connected and after its end", async () => {
      for (const client of [bed.setting.start(), await bed.setting.connect()]) {
        if (client.status === "connected") await client.close()
        await misuse(() => client.command([]))
        await misuse(() => client.pipeline([]))
        await misuse(() => client.command(["GET", undefined] as never))
        await misuse(() => client.command(["MONITOR"]))
        await misuse(() => client.command(["PING"], { timeout: -1 }))
        client.destroy()
      }
    })

    test("wrong options of start throw a TypeError that names the option", () => {
      const name = uniqueKey("name")
      const { setting } = bed
      for (const [options, names] of [
        [{ commandTimeout: -1 }, /commandTimeout/],
        [{ commandTimeuot: 1 }, /commandTimeuot/],
        [{ protocol: 4 }, /protocol/],
        [{ name: 5 }, /name/],
      ] as const) {
        assert.throws(
          () => setting.start({ name, ...options } as never).destroy(),
          (error: unknown) => {
            assert.ok(error instanceof TypeError)
            assert.match(error.message, names)
            return true
          },
        )
      }
      assert.throws(() => setting.named(name), Error)
    })
  })
}
