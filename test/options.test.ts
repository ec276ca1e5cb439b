import assert from "node:assert/strict"
import { execFileSync } from "node:child_process"
import { describe, it } from "node:test"
import { fileURLToPath } from "node:url"
import { inspect } from "node:util"
import { runInNewContext } from "node:vm"
import fc from "fast-check"
import {
  type CloseOptions,
  checkCloseOptions,
  checkReadyOptions,
  checkRequestOptions,
  mergeOptions,
  type RedixOptions,
  type ResolvedOptions,
  type ResolvedSentinel,
  resolveOptions,
  type SentinelOptions,
} from "../src/options.ts"

type Same<A, B> = [A] extends [B] ? ([B] extends [A] ? true : false) : false

// Every public option has its resolved twin, and no other is there. (Fails to compile otherwise.)
const isComplete: Same<keyof RedixOptions, keyof ResolvedOptions> = true
const isSentinelComplete: Same<keyof SentinelOptions, keyof ResolvedSentinel> = true

const DEFAULTS: ResolvedOptions = {
  host: "localhost",
  port: 6379,
  path: undefined,
  database: undefined,
  username: undefined,
  password: undefined,
  tls: false,
  socket: { keepAlive: true, keepAliveInitialDelay: 10_000, noDelay: true },
  timeout: 5000,
  commandTimeout: 5000,
  backoffInitial: 500,
  backoffMax: 30_000,
  exitOnDisconnection: false,
  healthCheckInterval: 15_000,
  name: undefined,
  clientName: undefined,
  clientInfo: true,
  readonly: false,
  protocol: 2,
  maxInFlight: Infinity,
  sentinel: undefined,
}

const sentinel = { sentinels: ["redis://s1:26379", { host: "s2", port: 26380 }], group: "mymaster" }

function refuses(args: readonly unknown[], message: RegExp | string): void {
  assert.throws(() => resolveOptions(args), { name: "TypeError", message })
}

describe("resolveOptions", () => {
  it("has a row for every option", () => assert.ok(isComplete && isSentinelComplete))

  it("fills in the defaults", () => {
    assert.deepEqual(resolveOptions([]), DEFAULTS)
    assert.deepEqual(resolveOptions([{}]), DEFAULTS)
  })

  it("takes undefined for not given", () => {
    const nothing = Object.fromEntries(Object.keys(DEFAULTS).map((name) => [name, undefined]))
    assert.deepEqual(resolveOptions([nothing]), DEFAULTS)
    assert.deepEqual(resolveOptions(["redis://h:1/2", nothing]), {
      ...DEFAULTS,
      host: "h",
      port: 1,
      database: 2,
    })
    assert.deepEqual(resolveOptions(["redis://h", undefined]), { ...DEFAULTS, host: "h" })
    assert.deepEqual(resolveOptions([{ host: "h" }, undefined]), { ...DEFAULTS, host: "h" })
  })

  it("takes every option", () => {
    const password = (): string => "secret"
    const options = {
      host: "h",
      port: 1,
      database: 3,
      username: "u",
      password,
      tls: { servername: "s" },
      timeout: 1,
      commandTimeout: Infinity,
      backoffInitial: 0,
      backoffMax: Infinity,
      exitOnDisconnection: true,
      healthCheckInterval: Infinity,
      name: "n",
      clientName: "c",
      clientInfo: false,
      readonly: true,
      protocol: 3,
      maxInFlight: 1,
    } satisfies RedixOptions
    const socket = { family: 6, noDelay: false, keepAlive: undefined }
    assert.deepEqual(resolveOptions([{ ...options, socket }]), {
      ...DEFAULTS,
      ...options,
      socket: { keepAlive: true, keepAliveInitialDelay: 10_000, noDelay: false, family: 6 },
    })
    assert.equal(resolveOptions([{ path: "/tmp/x.sock" }]).path, "/tmp/x.sock")
    assert.equal(resolveOptions([{ timeout: Infinity, backoffMax: 0 }]).timeout, Infinity)
  })

  it("lets options win over the URI", () => {
    const uri = "rediss://user:pass@h:1/2"
    const options = resolveOptions([uri, { host: "g", port: 7, database: 0, username: "v", password: "w" }])
    assert.deepEqual(options, {
      ...DEFAULTS,
      host: "g",
      port: 7,
      database: 0,
      username: "v",
      password: "w",
      tls: {},
    })
    assert.equal(resolveOptions(["unix:///a.sock", { path: "/b.sock" }]).path, "/b.sock")
    assert.deepEqual(resolveOptions([uri, { tls: { ca: "x" } }]).tls, { ca: "x" })
    assert.deepEqual(resolveOptions(["redis://h", { tls: { ca: "x" } }]).tls, { ca: "x" })
    assert.deepEqual(resolveOptions([uri, { tls: true }]).tls, {})
  })

  it("takes an empty user name, and an empty password without one, for none", () => {
    const of = (...args: unknown[]) => {
      const { username, password } = resolveOptions(args)
      return [username, password]
    }
    assert.deepEqual(of({ username: "", password: "p" }), [undefined, "p"])
    assert.deepEqual(of({ password: "" }), [undefined, undefined])
    assert.deepEqual(of("redis://:p@h", { password: "" }), [undefined, undefined])
    assert.deepEqual(of("redis://u:p@h", { username: "" }), [undefined, "p"])
    assert.deepEqual(of("redis://u:@h"), ["u", ""])
    assert.deepEqual(of("redis://u@h"), ["u", undefined])
  })

  it("refuses a first argument that is passed but empty", () => {
    for (const empty of [undefined, null, ""]) {
      refuses(
        [empty],
        /^Redix URI: expected a URI or an object with options, got .* environment variable not set/,
      )
      refuses([empty, { port: 1 }], /environment variable/)
    }
  })

  it("refuses other arguments", () => {
    for (const value of [0, true, [], () => {}, new Map(), new (class Options {})(), Promise.resolve({})]) {
      refuses([value], /^Redix options: expected a URI or an object with options, got an? /)
    }
    refuses(
      [new URL("redis://:secret@h")],
      "Redix options: expected a URI or an object with options, got an instance of URL; give its href",
    )
    refuses([{}, {}], /^Redix arguments: a second one is allowed after a URI only, got an object/)
    refuses([{}, "redis://h"], /after a URI only/)
    refuses(["redis://h", {}, undefined], /^Redix arguments: expected at most a URI and options, got 3/)
    refuses(["redis://h", null], "Redix options: expected an object, got null")
    refuses(["redis://h", []], "Redix options: expected an object, got an array")
    refuses(["redis://h", "redis://g"], "Redix options: expected an object, got a string")
    refuses(["foo://h"], /^Redix URI: /)
  })

  it("takes objects of other realms and without a prototype, and only what is theirs", () => {
    assert.equal(resolveOptions([runInNewContext("({ port: 1 })")]).port, 1)
    assert.equal(resolveOptions([Object.assign(Object.create(null), { port: 1 })]).port, 1)
    assert.equal(resolveOptions([Object.defineProperty({}, "port", { value: 1 })]).port, 6379)
    refuses([Object.create({ port: 1 })], /an instance of a class/)
    refuses([JSON.parse('{ "__proto__": { "port": 1 } }')], /^Redix option "__proto__": unknown option/)
    refuses([{ constructor: 1 }], /^Redix option "constructor": unknown option/)
    assert.equal(resolveOptions([{ __proto__: null, port: 1 }]).port, 1)
  })

  it("names the nearest option for one that it does not know", () => {
    const near: readonly (readonly [string, string])[] = [
      ["prot", "port"],
      ["hosts", "host"],
      ["Password", "password"],
      ["command_timeout", "commandTimeout"],
      ["backofMax", "backoffMax"],
      ["db", "database"],
      ["ssl", "tls"],
      ["connectTimeout", "timeout"],
    ]
    for (const [name, known] of near) {
      refuses([{ [name]: 1 }], `Redix option "${name}": unknown option; did you mean "${known}"?`)
    }
    refuses([{ strategy: 1 }], /^Redix option "strategy": unknown option; known are host, port, /)
    refuses(
      [{ url: "redis://:secret@h" }],
      'Redix option "url": unknown option; a URI is the first argument by itself',
    )
    refuses([{ prot: undefined }], /did you mean "port"/)
    refuses([{ "redis://:secret@h": 1 }], "Redix options: there is an option of unknown name among them")
  })

  it("refuses wrong values by the name of the option and the type that it got", () => {
    const wrong: readonly (readonly [string, readonly unknown[]])[] = [
      ["host", ["", 1, null]],
      ["port", ["6379", 0, 65_536, 1.5, Number.NaN, -1, Infinity, 1n]],
      ["path", ["", 1, "/a\0b"]],
      ["database", ["1", -1, 1.5, Number.NaN, Infinity]],
      ["username", [1, null]],
      ["password", [1, null, {}]],
      ["tls", [1, "true", null, [], new Map()]],
      ["socket", [true, null, [], new Map()]],
      ["timeout", [0, -1, Number.NaN, "1"]],
      ["commandTimeout", [0, -1, Number.NaN, "1", null]],
      ["backoffInitial", [-1, Infinity, Number.NaN, "1"]],
      ["backoffMax", [-1, Number.NaN, "1"]],
      ["exitOnDisconnection", [0, "false", null]],
      ["healthCheckInterval", [0, -1, Number.NaN]],
      ["name", ["", 1, Symbol("x")]],
      ["clientName", ["", "a b", "a\n", "é", 1]],
      ["clientInfo", [1]],
      ["readonly", ["yes"]],
      ["protocol", [1, 4, "3", Number.NaN]],
      ["maxInFlight", [0, -1, 1.5, Number.NaN, "1"]],
      ["sentinel", [true, [], "redis://h"]],
    ]
    for (const [name, values] of wrong) {
      for (const value of values)
        refuses([{ [name]: value }], new RegExp(`^Redix option "${name}": expected `))
    }
    refuses([{ port: "6379" }], 'Redix option "port": expected an integer between 1 and 65535, got a string')
    refuses([{ port: 70_000 }], 'Redix option "port": expected an integer between 1 and 65535, got 70000')
    refuses(
      [{ password: 12_345 }],
      'Redix option "password": expected a string, or a function that returns one, got a number',
    )
  })

  it("refuses two places to connect to", () => {
    refuses([{ path: "/a", host: "h" }], 'Redix option "path": it excludes "host"')
    refuses([{ path: "/a", port: 1 }], 'Redix option "path": it excludes "port"')
    refuses(["unix:///a", { host: "h" }], /^Redix option "host": it contradicts the URI/)
    refuses(["unix:///a", { port: 1 }], /^Redix option "port": it contradicts the URI/)
    refuses(["redis://h", { path: "/a" }], /^Redix option "path": it contradicts the URI/)
    refuses(["redis://", { path: "/a" }], /^Redix option "path": it contradicts the URI/)
    for (const other of [{ host: "h" }, { port: 1 }, { path: "/a" }]) {
      refuses([{ ...other, sentinel }], /^Redix option "sentinel": it excludes "(host|port|path)"/)
    }
    refuses(["redis://h", { sentinel }], /^Redix option "sentinel": it excludes the host of the URI/)
    refuses(["unix:///a", { sentinel }], /^Redix option "sentinel": it excludes the path of the URI/)
    assert.equal(resolveOptions(["redis://:p@/2", { sentinel }]).database, 2)
  })

  it("refuses to take TLS from a URI that asks for it", () => {
    refuses(["rediss://h", { tls: false }], /^Redix option "tls": false contradicts the scheme/)
    refuses(["valkeys://h", { tls: false }], /^Redix option "tls": false contradicts the scheme/)
    assert.equal(resolveOptions(["redis://h", { tls: false }]).tls, false)
  })

  it("refuses an address among the options of sockets and TLS, and says where it belongs", () => {
    for (const name of ["host", "port", "path"]) {
      refuses(
        [{ socket: { [name]: 1 } }],
        `Redix option "socket.${name}": not allowed here, it belongs beside "socket"`,
      )
      refuses(
        [{ tls: { [name]: 1 } }],
        `Redix option "tls.${name}": not allowed here, it belongs beside "tls"`,
      )
    }
    refuses([{ socket: { onread: {} } }], /^Redix option "socket.onread": not allowed/)
    refuses([{ tls: { socket: {} } }], /^Redix option "tls.socket": not allowed/)
    refuses(
      [{ sentinel: { ...sentinel, socket: { host: "h" } } }],
      /"sentinel.socket.host": .* into "sentinels"/,
    )
    assert.deepEqual(resolveOptions([{ tls: { host: undefined, ca: undefined } }]).tls, {})
  })

  it("keeps a copy", () => {
    const options = {
      tls: { ca: "a" },
      socket: { family: 4 },
      sentinel: { ...sentinel, sentinels: ["redis://a:1"] },
    }
    const resolved = resolveOptions([options])
    options.tls.ca = "b"
    options.socket.family = 6
    options.sentinel.sentinels.push("redis://b:1")
    assert.deepEqual(resolved.tls, { ca: "a" })
    assert.equal(resolved.socket.family, 4)
    assert.equal(resolved.sentinel?.sentinels.length, 1)
  })
})

describe("the option sentinel", () => {
  const resolve = (options: object) => resolveOptions([{ sentinel: { ...sentinel, ...options } }]).sentinel
  const refusesSentinel = (options: object, message: RegExp | string) =>
    assert.throws(() => resolve(options), { name: "TypeError", message })
  const nobody = { username: undefined, password: undefined }

  it("has defaults", () => {
    assert.deepEqual(resolve({}), {
      sentinels: [
        { host: "s1", port: 26_379, ...nobody },
        { host: "s2", port: 26_380, ...nobody },
      ],
      group: "mymaster",
      role: "primary",
      timeout: 500,
      ...nobody,
      tls: false,
      socket: DEFAULTS.socket,
    })
  })

  it("fills in credentials for sentinels that have none of their own", () => {
    const sentinels = [
      "redis://a:1",
      "redis://:own@b:1",
      "redis://x:y@c:1",
      { host: "d", port: 1, password: "" },
    ]
    const resolved = resolve({ sentinels, password: "all" })
    assert.deepEqual(
      resolved?.sentinels.map(({ username, password }) => [username, password]),
      [
        [undefined, "all"],
        [undefined, "own"],
        ["x", "y"],
        [undefined, undefined],
      ],
    )
    assert.equal(resolved?.password, "all")
  })

  it("takes TLS from the URIs, where all agree", () => {
    assert.deepEqual(
      resolve({ sentinels: ["rediss://a:1", "valkeys://b:1", { host: "c", port: 1 }] })?.tls,
      {},
    )
    assert.deepEqual(resolve({ sentinels: ["rediss://a:1"], tls: { ca: "x" } })?.tls, { ca: "x" })
    assert.deepEqual(resolve({ sentinels: ["redis://a:1"], tls: true })?.tls, {})
    refusesSentinel(
      { sentinels: ["rediss://a:1", "redis://b:1"] },
      /^Redix option "sentinel.sentinels": some of the URIs/,
    )
    refusesSentinel(
      { sentinels: ["rediss://a:1"], tls: false },
      /^Redix option "sentinel.tls": false contradicts/,
    )
  })

  it("refuses what is missing or wrong, by its name", () => {
    refusesSentinel({ group: undefined }, 'Redix option "sentinel.group": it has to be given')
    refusesSentinel({ group: "" }, /^Redix option "sentinel.group": expected /)
    refusesSentinel({ sentinels: undefined }, 'Redix option "sentinel.sentinels": it has to be given')
    refusesSentinel({ sentinels: [] }, /^Redix option "sentinel.sentinels": expected .*, got an empty array/)
    refusesSentinel(
      { sentinels: "redis://a:1" },
      /^Redix option "sentinel.sentinels": expected .*, got a string/,
    )
    refusesSentinel({ sentinels: [1] }, /^Redix option "sentinel.sentinels\[0\]": expected .*, got a number/)
    refusesSentinel(
      { sentinels: new Array(1) },
      /^Redix option "sentinel.sentinels\[0\]": expected .*, got undefined/,
    )
    refusesSentinel(
      { sentinels: ["foo://a:1"] },
      /^Redix option "sentinel.sentinels\[0\]": expected it to begin/,
    )
    refusesSentinel(
      { sentinels: ["redis://a"] },
      'Redix option "sentinel.sentinels[0]": a port has to be given for each sentinel',
    )
    refusesSentinel(
      { sentinels: [{ port: 1 }] },
      'Redix option "sentinel.sentinels[0]": a host has to be given for each sentinel',
    )
    refusesSentinel(
      { sentinels: ["redis://a:1/2"] },
      /^Redix option "sentinel.sentinels\[0\]": a sentinel has no databases/,
    )
    refusesSentinel({ sentinels: ["unix:///a"] }, /^Redix option "sentinel.sentinels\[0\]": .* not by a unix/)
    refusesSentinel(
      { sentinels: [{ host: "a", port: "1" }] },
      /^Redix option "sentinel.sentinels\[0\].port": expected /,
    )
    refusesSentinel(
      { sentinels: [{ host: "a", prot: 1 }] },
      /^Redix option "sentinel.sentinels\[0\].prot": .* "port"/,
    )
    refusesSentinel({ role: "master" }, /^Redix option "sentinel.role": expected "primary" or "replica"/)
    refusesSentinel({ timeout: 0 }, /^Redix option "sentinel.timeout": expected /)
    refusesSentinel(
      { masterName: "m" },
      /^Redix option "sentinel.masterName": unknown option; did you mean "group"/,
    )
  })
})

describe("mergeOptions", () => {
  const base = resolveOptions(["rediss://u:p@h:7/2", { name: "n", socket: { family: 6 }, timeout: 1 }])

  it("keeps everything but the name", () => {
    for (const overrides of [undefined, {}, { port: undefined }]) {
      assert.deepEqual(mergeOptions(base, overrides), { ...base, name: undefined })
    }
    const withSentinel = resolveOptions([
      { sentinel: { ...sentinel, password: "all", sentinels: [{ host: "d", port: 1, password: "" }] } },
    ])
    assert.deepEqual(mergeOptions(withSentinel, { database: 1 }), { ...withSentinel, database: 1 })
  })

  it("lets overrides win", () => {
    const overrides = { name: "m", host: "g", database: 0, password: "q", timeout: 2 }
    assert.deepEqual(mergeOptions(base, overrides), { ...base, ...overrides })
    assert.equal(mergeOptions(base, { tls: false }).tls, false)
    assert.deepEqual(mergeOptions(base, { socket: {} }).socket, DEFAULTS.socket)
  })

  it("moves to another kind of address", () => {
    const onSocket = mergeOptions(base, { path: "/a" })
    assert.deepEqual(onSocket, { ...base, name: undefined, host: "localhost", port: 6379, path: "/a" })
    const onSentinel = mergeOptions(onSocket, { sentinel })
    assert.deepEqual([onSentinel.path, onSentinel.sentinel?.group], [undefined, "mymaster"])
    const onHost = mergeOptions(onSentinel, { port: 9 })
    assert.deepEqual([onHost.host, onHost.port, onHost.sentinel], ["localhost", 9, undefined])
    assert.deepEqual(mergeOptions(onSocket, { host: "h" }).path, undefined)
  })

  it("checks overrides as options", () => {
    const refusesMerge = (overrides: unknown, message: RegExp) =>
      assert.throws(() => mergeOptions(base, overrides), { name: "TypeError", message })
    refusesMerge(null, /^Redix options: expected an object, got null/)
    refusesMerge({ prot: 1 }, /did you mean "port"/)
    refusesMerge({ port: 0 }, /^Redix option "port"/)
    refusesMerge({ host: "h", path: "/a" }, /^Redix option "path": it excludes "host"/)
    refusesMerge({ host: "h", sentinel }, /^Redix option "sentinel": it excludes "host"/)
  })
})

describe("the options of calls", () => {
  const refusesOptions = (check: (options: unknown) => void, options: unknown, message: RegExp) =>
    assert.throws(() => check(options), { name: "TypeError", message })

  it("are checked for a request", () => {
    const signal = AbortSignal.abort()
    checkRequestOptions(undefined)
    checkRequestOptions({})
    checkRequestOptions({ timeout: 0.5, signal, encoding: "buffer", metadata: null })
    checkRequestOptions({ timeout: Infinity, signal: undefined, encoding: undefined, metadata: undefined })
    checkRequestOptions(runInNewContext("({ timeout: 1 })"))
    for (const options of [null, [], 5000, "buffer", signal, new Map()]) {
      refusesOptions(checkRequestOptions, options, /^Redix request options: expected an object, got /)
    }
    for (const timeout of [0, -1, Number.NaN, "1", null]) {
      refusesOptions(checkRequestOptions, { timeout }, /^Redix request option "timeout": expected /)
    }
    for (const wrong of [{}, null, new AbortController(), { aborted: true }]) {
      refusesOptions(
        checkRequestOptions,
        { signal: wrong },
        /^Redix request option "signal": expected an AbortSignal/,
      )
    }
    refusesOptions(
      checkRequestOptions,
      { encoding: "utf-8" },
      /^Redix request option "encoding": expected "utf8" or/,
    )
    refusesOptions(checkRequestOptions, { timeOut: 1 }, /"timeOut": unknown option; did you mean "timeout"/)
    refusesOptions(checkRequestOptions, JSON.parse('{ "__proto__": 1 }'), /"__proto__": unknown option/)
  })

  it("are checked for close and ready", () => {
    for (const timeout of [0, 1, Infinity, undefined]) checkCloseOptions({ timeout } satisfies CloseOptions)
    for (const timeout of [-1, Number.NaN, "1"]) {
      refusesOptions(checkCloseOptions, { timeout }, /^Redix close option "timeout": expected /)
    }
    refusesOptions(checkCloseOptions, { signal: undefined }, /^Redix close option "signal": unknown option/)
    checkReadyOptions({ timeout: 1, signal: new AbortController().signal })
    refusesOptions(checkReadyOptions, { timeout: 0 }, /^Redix ready option "timeout": expected /)
    refusesOptions(checkReadyOptions, { encoding: "utf8" }, /^Redix ready option "encoding": unknown option/)
  })
})

describe("messages", () => {
  const SECRET = "zqx7193"
  const secret = fc
    .array(fc.constantFrom("#", "/", "?", "@", ":", "%", "[", " ", "\n"), { maxLength: 4 })
    .map((parts) => `${parts.join(SECRET)}${SECRET}`)
  const value = fc.oneof(fc.constant(undefined), fc.constantFrom(1, true, null, "x"), secret)

  it("never show the password, wherever it was put", () => {
    const names = [...Object.keys(DEFAULTS), "user", "passwrod", "url", "sentinels", "pool"]
    const record = fc.dictionary(fc.constantFrom(...names), value, { maxKeys: 4 })
    const uri = secret.map((password) => `redis://user:${password}@localhost/x`)
    const withSentinel = fc
      .tuple(uri, record)
      .map(([item, rest]) => ({ sentinel: { sentinels: [item, rest], group: "g", ...rest } }))
    const options = fc.oneof(
      record,
      withSentinel,
      uri.map((key) => ({ [key]: 1 })),
      secret.map((password) => ({
        tls: { passphrase: password, port: password },
        socket: { host: password },
      })),
    )
    const args = fc.oneof(
      fc.tuple(options),
      fc.tuple(uri),
      fc.tuple(uri, options),
      fc.tuple(fc.constantFrom("redis://h", "unix:///a"), options),
      fc.tuple(options, secret),
      fc.tuple(secret, secret),
    )
    fc.assert(
      fc.property(args, (given) => {
        try {
          resolveOptions(given)
        } catch (error) {
          assert.ok(error instanceof TypeError, inspect(error))
          assert.match(error.message, /^Redix (URI|options|arguments|option "[\w.[\]]+"): /)
          assert.ok(!inspect(error, { showHidden: true, depth: null }).includes(SECRET), error.message)
        }
      }),
      { numRuns: 3000 },
    )
  })
})

describe("docs/options.md", () => {
  it("is what the tables say", () => {
    const script = fileURLToPath(new URL("../scripts/options-docs.ts", import.meta.url))
    execFileSync(process.execPath, ["--import", "tsx", script, "--check"], { stdio: "pipe" })
  })
})
