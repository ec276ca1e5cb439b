/** Secrets among the arguments of commands: nowhere to be seen. */
import assert from "node:assert/strict"
import { describe, test } from "node:test"
import { inspect } from "node:util"
import { Redix } from "@redix/client"
import { redacted } from "../../src/protocol/redact.ts"
import { closing, fakeServer } from "../contract/helpers.ts"
import { heard, heardOn } from "./setup.ts"

const X = "[redacted]"
const bytes = (text: string) => Buffer.from(text)

const rows: [unknown[], unknown[]][] = [
  [
    ["AUTH", "s3cret"],
    ["AUTH", X],
  ],
  [
    ["auth", "user", "s3cret"],
    ["auth", X, X],
  ],
  [
    ["Auth", bytes("s3cret")],
    ["Auth", X],
  ],
  [
    ["HELLO", 3, "AUTH", "user", "s3cret", "SETNAME", "n"],
    ["HELLO", 3, "AUTH", X, X, "SETNAME", "n"],
  ],
  [
    ["HELLO", 3, "auth", "user"],
    ["HELLO", 3, "auth", X],
  ],
  [
    ["ACL", "SETUSER", "bob", "on", ">s3cret"],
    ["ACL", "SETUSER", X, X, X],
  ],
  [
    ["acl", bytes("setuser"), "bob"],
    ["acl", bytes("setuser"), X],
  ],
  [
    ["ACL", "GETUSER", "bob"],
    ["ACL", "GETUSER", "bob"],
  ],
  [
    ["CONFIG", "SET", "requirepass", "s3cret"],
    ["CONFIG", "SET", "requirepass", X],
  ],
  [
    ["CONFIG", "set", "maxmemory", 0, "MasterAuth", "s3cret", "primaryauth", "s3cret"],
    ["CONFIG", "set", "maxmemory", 0, "MasterAuth", X, "primaryauth", X],
  ],
  [
    ["CONFIG", "SET", "tls-key-file-pass", "s3cret"],
    ["CONFIG", "SET", "tls-key-file-pass", X],
  ],
  [
    ["CONFIG", "SET", bytes("requirepass"), bytes("s3cret")],
    ["CONFIG", "SET", bytes("requirepass"), X],
  ],
  [
    ["CONFIG", "SET", "tls-auth-clients", "no"],
    ["CONFIG", "SET", "tls-auth-clients", "no"],
  ],
  [
    ["CONFIG", "GET", "requirepass"],
    ["CONFIG", "GET", "requirepass"],
  ],
  [
    ["SENTINEL", "SET", "mymaster", "auth-pass", "s3cret"],
    ["SENTINEL", "SET", "mymaster", "auth-pass", X],
  ],
  [
    ["SENTINEL", "CONFIG", "SET", "sentinel-pass", "s3cret"],
    ["SENTINEL", "CONFIG", "SET", "sentinel-pass", X],
  ],
  [
    ["MIGRATE", "h", 1, "k", 0, 5, "COPY", "AUTH", "s3cret"],
    ["MIGRATE", "h", 1, "k", 0, 5, "COPY", "AUTH", X],
  ],
  [
    ["MIGRATE", "h", 1, "", 0, 5, "AUTH2", "user", "s3cret", "KEYS", "AUTH", "a"],
    ["MIGRATE", "h", 1, "", 0, 5, "AUTH2", X, X, "KEYS", "AUTH", "a"],
  ],
  [
    ["MIGRATE", "auth", "h", "auth", 0, 5, "REPLACE"],
    ["MIGRATE", "auth", "h", "auth", 0, 5, "REPLACE"],
  ],
  [
    ["MODULE", "LOADEX", "/m.so", "CONFIG", "m.password", "s3cret", "config", "m.b", bytes("x")],
    ["MODULE", "LOADEX", "/m.so", "CONFIG", "m.password", X, "config", "m.b", X],
  ],
  [
    ["module", "loadex", "/m.so", "CONFIG", "m.a", "ARGS", "ARGS", "PASSWORD", "s3cret"],
    ["module", "loadex", "/m.so", "CONFIG", "m.a", X, "ARGS", X, X],
  ],
  [
    ["MODULE", "LOADEX", "/m.so", "PASSWORD", "s3cret"],
    ["MODULE", "LOADEX", "/m.so", X, X],
  ],
  [
    ["MODULE", "LOAD", "/m.so", "PASSWORD", "s3cret"],
    ["MODULE", "LOAD", "/m.so", X, X],
  ],
  [
    ["MODULE", "UNLOAD", "m"],
    ["MODULE", "UNLOAD", "m"],
  ],
  [
    ["CONFIG SET", "requirepass", "s3cret"],
    ["CONFIG SET", "requirepass", X],
  ],
  [
    [bytes(" config  set"), "maxmemory", 0, "requirepass", "s3cret"],
    [bytes(" config  set"), "maxmemory", 0, "requirepass", X],
  ],
  [["CONFIG SET requirepass s3cret"], [`CONFIG SET requirepass ${X}`]],
  [[bytes("auth user\ts3cret")], [`auth ${X} ${X}`]],
  [
    ["ACL SETUSER bob", ">s3cret"],
    [`ACL SETUSER ${X}`, X],
  ],
  [
    ["MODULE LOADEX", "/m.so", "CONFIG", "name", "value"],
    ["MODULE LOADEX", "/m.so", "CONFIG", "name", X],
  ],
  [
    ["SENTINEL SET", "mymaster", "auth-pass", "s3cret"],
    ["SENTINEL SET", "mymaster", "auth-pass", X],
  ],
  [["SET key"], ["SET key"]],
  [
    ["SET", "AUTH", "value"],
    ["SET", "AUTH", "value"],
  ],
]

describe("redacted", () => {
  for (const [command, expected] of rows) {
    test(`${command.join(" ")}`, () => {
      const before = [...command]
      assert.deepEqual(redacted(command), expected)
      assert.deepEqual(command, before)
    })
  }
})

test("secrets are seen in no event and in no error, whatever the way they are sent", async (t) => {
  const secret = "s3cret-and-long"
  const fake = await fakeServer(t, ([name = ""]) =>
    ["AUTH", "ACL", "CONFIG", "MIGRATE"].includes(name) ? "-ERR no\r\n" : undefined,
  )
  const conn = closing(t, await Redix.connect({ port: fake.port, clientInfo: false }))
  const all = heard(t)
  const connections = ["redix:connection", "redix:disconnection", "redix:failed-connection"].map((name) =>
    heardOn(t, name),
  )
  const errors: unknown[] = []
  const commands = [
    ["AUTH", secret],
    ["ACL", "SETUSER", "bob", `>${secret}`],
    ["CONFIG", "SET", "requirepass", secret],
    ["MIGRATE", "h", 1, "k", 0, 5, "AUTH2", "user", secret],
  ] as const
  for (const command of commands) {
    errors.push(await conn.safe.command(command))
    errors.push(await conn.safe.pipeline([command, ["GET", "a"]], { timeout: 20 }))
    errors.push(await conn.safe.transactionPipeline([command], { timeout: 20 }))
    errors.push(await conn.safe.noreplyCommand(command, { timeout: 20 }))
    errors.push(await conn.safe.command([...command, undefined as never]))
    errors.push(await conn.safe.command(command, { signal: AbortSignal.abort() }))
  }
  errors.push(await conn.safe.command(["HELLO", 3, "AUTH", "user", secret]))
  conn.destroy()
  for (const command of commands) errors.push(await conn.safe.command(command))
  const everything = inspect([all, connections, errors, conn], {
    depth: 10,
    showHidden: true,
    maxArrayLength: null,
    maxStringLength: null,
  })
  assert.ok(all.length > 50)
  assert.ok(everything.includes(X))
  assert.ok(!everything.includes(secret))
})
