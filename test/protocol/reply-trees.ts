/** Random replies as trees, with an encoder and a reader of their values that share nothing with the driver. */
import fc from "fast-check"
import { RedisError } from "../../src/errors.ts"

export type Tree =
  | { readonly type: "line"; readonly prefix: "+" | "-"; readonly text: string }
  | { readonly type: "integer"; readonly value: bigint }
  | { readonly type: "bulk"; readonly bytes: Uint8Array }
  | { readonly type: "verbatim"; readonly bytes: Uint8Array }
  | { readonly type: "blob-error"; readonly text: string }
  | { readonly type: "null"; readonly literal: "$-1" | "*-1" | "_" }
  | { readonly type: "boolean"; readonly value: boolean }
  | { readonly type: "double"; readonly value: number }
  | { readonly type: "big-number"; readonly value: bigint }
  | { readonly type: "list"; readonly prefix: "*" | "~" | ">"; readonly items: readonly Tree[] }
  | { readonly type: "map"; readonly entries: readonly (readonly [Tree, Tree])[] }
  | { readonly type: "attributed"; readonly entries: readonly (readonly [Tree, Tree])[]; readonly tree: Tree }

const text = (value: string): Buffer => Buffer.from(value, "utf8")
const header = (prefix: string, value: unknown): Buffer => text(`${prefix}${value}\r\n`)

function blob(prefix: string, bytes: Uint8Array): Buffer {
  return Buffer.concat([header(prefix, bytes.length), bytes, text("\r\n")])
}

function doubleLiteral(value: number): string {
  if (Number.isNaN(value)) return "nan"
  if (!Number.isFinite(value)) return value > 0 ? "inf" : "-inf"
  return Object.is(value, -0) ? "-0" : String(value)
}

function pairs(entries: readonly (readonly [Tree, Tree])[]): Buffer {
  return Buffer.concat(entries.flat().map(encodeTree))
}

export function encodeTree(tree: Tree): Buffer {
  switch (tree.type) {
    case "line":
      return header(tree.prefix, tree.text)
    case "integer":
      return header(":", tree.value)
    case "bulk":
      return blob("$", tree.bytes)
    case "verbatim":
      return blob("=", Buffer.concat([text("txt:"), tree.bytes]))
    case "blob-error":
      return blob("!", text(tree.text))
    case "null":
      return header(tree.literal, "")
    case "boolean":
      return header("#", tree.value ? "t" : "f")
    case "double":
      return header(",", doubleLiteral(tree.value))
    case "big-number":
      return header("(", tree.value)
    case "list":
      return Buffer.concat([header(tree.prefix, tree.items.length), ...tree.items.map(encodeTree)])
    case "map":
      return Buffer.concat([header("%", tree.entries.length), pairs(tree.entries)])
    case "attributed":
      return Buffer.concat([header("|", tree.entries.length), pairs(tree.entries), encodeTree(tree.tree)])
  }
}

function stringOf(bytes: Uint8Array, asBytes: boolean): string | Buffer {
  return asBytes ? Buffer.from(bytes) : Buffer.from(bytes).toString("utf8")
}

/** The strings of a map's keys are text in either mode; what is nested in a key is not. */
function keyOf(tree: Tree, asBytes: boolean): unknown {
  if (tree.type === "attributed") return keyOf(tree.tree, asBytes)
  return tree.type === "list" || tree.type === "map"
    ? expectedValue(tree, asBytes)
    : expectedValue(tree, false)
}

function listOf(tree: Tree & { type: "list" }, asBytes: boolean): unknown {
  const isBytes = asBytes || tree.prefix === ">"
  const items = tree.items.map((item) => expectedValue(item, isBytes))
  return tree.prefix === "~" && !isBytes ? new Set(items) : items
}

export function expectedValue(tree: Tree, asBytes: boolean): unknown {
  switch (tree.type) {
    case "line":
      return tree.prefix === "-" ? new RedisError(tree.text) : stringOf(text(tree.text), asBytes)
    case "integer": {
      const value = Number(tree.value)
      return Number.isSafeInteger(value) && BigInt(value) === tree.value ? value : tree.value
    }
    case "bulk":
    case "verbatim":
      return stringOf(tree.bytes, asBytes)
    case "blob-error":
      return new RedisError(tree.text)
    case "null":
      return null
    case "boolean":
    case "double":
    case "big-number":
      return tree.value
    case "list":
      return listOf(tree, asBytes)
    case "map":
      return new Map(tree.entries.map(([key, value]) => [keyOf(key, asBytes), expectedValue(value, asBytes)]))
    case "attributed":
      return expectedValue(tree.tree, asBytes)
  }
}

const lineText = fc
  .oneof(
    fc.string({ unit: "binary", maxLength: 20 }),
    fc.constantFrom("OK", "QUEUED", "ERR é €", "x".repeat(600)),
  )
  .map((value) => value.replaceAll("\r", "\n"))

const blobBytes = fc.oneof(
  { weight: 5, arbitrary: fc.uint8Array({ maxLength: 12 }) },
  { weight: 5, arbitrary: fc.string({ unit: "grapheme", maxLength: 12 }).map(text) },
  { weight: 1, arbitrary: fc.constantFrom("\r\n", "\r", "$3\r\nfoo\r\n", "\ufeffa", "__proto__").map(text) },
  { weight: 1, arbitrary: fc.uint8Array({ minLength: 500, maxLength: 530 }) },
  { weight: 1, arbitrary: fc.integer({ min: 250, max: 600 }).map((length) => text("é".repeat(length))) },
  { weight: 1, arbitrary: fc.constantFrom(...[32_767, 32_768].map((n) => text("x".repeat(n)))) },
)

const integer = fc.oneof(
  fc.integer().map(BigInt),
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
  fc.constantFrom(...[53n, 63n].flatMap((bits) => [2n ** bits - 1n, 2n ** bits, -(2n ** bits)])),
)

const leaf2: fc.Arbitrary<Tree> = fc.oneof(
  fc.record({
    type: fc.constant("line" as const),
    prefix: fc.constantFrom("+" as const, "-" as const),
    text: lineText,
  }),
  fc.record({ type: fc.constant("integer" as const), value: integer }),
  fc.record({ type: fc.constant("bulk" as const), bytes: blobBytes }),
  fc.record({ type: fc.constant("null" as const), literal: fc.constantFrom("$-1" as const, "*-1" as const) }),
)

const leaf3: fc.Arbitrary<Tree> = fc.oneof(
  leaf2,
  fc.record({ type: fc.constant("verbatim" as const), bytes: blobBytes }),
  fc.record({ type: fc.constant("blob-error" as const), text: lineText }),
  fc.constant<Tree>({ type: "null", literal: "_" }),
  fc.record({ type: fc.constant("boolean" as const), value: fc.boolean() }),
  fc.record({ type: fc.constant("double" as const), value: fc.double() }),
  fc.record({ type: fc.constant("big-number" as const), value: fc.bigInt() }),
)

function isErrorFree(tree: Tree): boolean {
  return !/^[-!]/m.test(encodeTree(tree).toString("latin1"))
}

/** Replies of RESP2. */
export const tree2: fc.Arbitrary<Tree> = fc.letrec<{ tree: Tree }>((tie) => ({
  tree: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    leaf2,
    fc.record({
      type: fc.constant("list" as const),
      prefix: fc.constant("*" as const),
      items: fc.array(tie("tree"), { maxLength: 4 }),
    }),
  ),
})).tree

/** Replies of RESP3, attributes included, pushes not. */
export const tree3: fc.Arbitrary<Tree> = fc.letrec<{ tree: Tree }>((tie) => {
  const entries = fc.array(fc.tuple(tie("tree"), tie("tree")), { maxLength: 3 })
  return {
    tree: fc.oneof(
      { depthSize: "small", withCrossShrink: true },
      leaf3,
      fc.record({
        type: fc.constant("list" as const),
        prefix: fc.constantFrom("*" as const, "~" as const),
        items: fc.array(tie("tree"), { maxLength: 4 }),
      }),
      fc.record({ type: fc.constant("map" as const), entries }),
      fc.record({
        type: fc.constant("attributed" as const),
        entries: entries.filter((all) => all.flat().every(isErrorFree)),
        tree: tie("tree"),
      }),
    ),
  }
}).tree

/** Push messages of RESP3. */
export const push3: fc.Arbitrary<Tree> = fc.record({
  type: fc.constant("list" as const),
  prefix: fc.constant(">" as const),
  items: fc.array(
    tree3.filter((tree) => !encodeTree(tree).includes("*-1\r\n")),
    { maxLength: 4 },
  ),
})
