/**
 * The small language in which the tables write reply types: reading it, and what a type is under each protocol.
 *
 * Written in terms of RESP3. `double`, `bool`, `map`, `set` and `pairs` become what servers make of them under RESP2:
 * strings, integers, flat arrays. `resp<A, B>` is A under RESP2 and B under RESP3, for whatever follows no rule.
 */

export type Protocol = 2 | 3

/** A type as it is written. */
type Written =
  | { readonly kind: "string" | "int" | "double" | "bool" | "null" | "any" }
  | { readonly kind: "literal"; readonly text: string }
  | { readonly kind: "array" | "map" | "set"; readonly of: Written }
  | { readonly kind: "tuple"; readonly items: readonly Written[]; readonly rest: Written | undefined }
  | { readonly kind: "union"; readonly of: readonly Written[] }
  | { readonly kind: "pairs"; readonly first: Written; readonly second: Written }
  | { readonly kind: "resp"; readonly two: Written; readonly three: Written }

/** A type as it is under one protocol: what TypeScript knows, and what a reply can be held against. */
export type ReplyType =
  | { readonly kind: "string" | "number" | "boolean" | "null" | "reply" }
  | { readonly kind: "literal"; readonly text: string }
  | { readonly kind: "array" | "map" | "set"; readonly of: ReplyType }
  | { readonly kind: "tuple"; readonly items: readonly ReplyType[]; readonly rest: ReplyType | undefined }
  | { readonly kind: "union"; readonly of: readonly ReplyType[] }

/** A reply type of the table, under both protocols. */
export interface ReplyTypes {
  readonly 2: ReplyType
  readonly 3: ReplyType
}

const TOKEN = /\s*(\.\.\.|"[^"]*"|[a-z]+|[<>[\]()|,])/y

/** Reads a type. Throws for what is none. */
export function parseReplyType(text: string): ReplyTypes {
  const reader = new TypeReader(text)
  const written = reader.union()
  reader.end()
  return { 2: under(written, 2), 3: under(written, 3) }
}

class TypeReader {
  readonly #text: string
  #position = 0

  constructor(text: string) {
    this.#text = text.trim()
  }

  union(): Written {
    const of = [this.#postfix()]
    while (this.#take("|")) of.push(this.#postfix())
    const [only] = of
    return of.length === 1 && only ? only : { kind: "union", of }
  }

  end(): void {
    if (this.#position < this.#text.length) this.#fail()
  }

  #postfix(): Written {
    let type = this.#primary()
    while (this.#take("[")) {
      this.#expect("]")
      type = { kind: "array", of: type }
    }
    return type
  }

  #primary(): Written {
    const token = this.#next()
    if (token === "(") {
      const inner = this.union()
      this.#expect(")")
      return inner
    }
    if (token === "[") return this.#tuple()
    if (token.startsWith('"')) return { kind: "literal", text: token.slice(1, -1) }
    return this.#named(token)
  }

  #named(name: string): Written {
    switch (name) {
      case "string":
      case "int":
      case "double":
      case "bool":
      case "null":
      case "any":
        return { kind: name }
      case "map":
      case "set": {
        const [of] = this.#parameters(1)
        return { kind: name, of: of as Written }
      }
      case "pairs": {
        const [first, second] = this.#parameters(2)
        return { kind: "pairs", first: first as Written, second: second as Written }
      }
      case "resp": {
        const [two, three] = this.#parameters(2)
        return { kind: "resp", two: two as Written, three: three as Written }
      }
      default:
        return this.#fail()
    }
  }

  #parameters(count: number): Written[] {
    this.#expect("<")
    const list = [this.union()]
    while (list.length < count) {
      this.#expect(",")
      list.push(this.union())
    }
    this.#expect(">")
    return list
  }

  #tuple(): Written {
    const items: Written[] = []
    while (!this.#take("]")) {
      if (items.length > 0) this.#expect(",")
      if (this.#take("...")) {
        const rest = this.union()
        this.#expect("]")
        if (rest.kind !== "array") return this.#fail()
        return { kind: "tuple", items, rest: rest.of }
      }
      items.push(this.union())
    }
    return { kind: "tuple", items, rest: undefined }
  }

  #next(): string {
    TOKEN.lastIndex = this.#position
    const match = TOKEN.exec(this.#text)
    if (!match?.[1]) return this.#fail()
    this.#position = TOKEN.lastIndex
    return match[1]
  }

  #take(token: string): boolean {
    const before = this.#position
    if (before < this.#text.length && this.#next() === token) return true
    this.#position = before
    return false
  }

  #expect(token: string): void {
    if (!this.#take(token)) this.#fail()
  }

  #fail(): never {
    throw new Error(`no reply type, at character ${this.#position}: ${this.#text}`)
  }
}

function under(type: Written, protocol: Protocol): ReplyType {
  const inner = (of: Written) => under(of, protocol)
  switch (type.kind) {
    case "string":
    case "null":
      return { kind: type.kind }
    case "literal":
      return type
    case "any":
      return { kind: "reply" }
    case "int":
      return { kind: "number" }
    case "double":
      return { kind: protocol === 3 ? "number" : "string" }
    case "bool":
      return { kind: protocol === 3 ? "boolean" : "number" }
    case "array":
      return { kind: "array", of: inner(type.of) }
    case "set":
      return { kind: protocol === 3 ? "set" : "array", of: inner(type.of) }
    case "map":
      return protocol === 3
        ? { kind: "map", of: inner(type.of) }
        : { kind: "array", of: unionOf([{ kind: "string" }, inner(type.of)]) }
    case "pairs": {
      const items = [inner(type.first), inner(type.second)]
      return {
        kind: "array",
        of: protocol === 3 ? { kind: "tuple", items, rest: undefined } : unionOf(items),
      }
    }
    case "tuple":
      return { kind: "tuple", items: type.items.map(inner), rest: type.rest && inner(type.rest) }
    case "union":
      return unionOf(type.of.map(inner))
    case "resp":
      return inner(protocol === 3 ? type.three : type.two)
  }
}

/** The types as one: without those that others of them contain. */
export function unionOf(types: readonly ReplyType[]): ReplyType {
  const flat = types.flatMap((type) => (type.kind === "union" ? type.of : [type]))
  if (flat.some(({ kind }) => kind === "reply")) return { kind: "reply" }
  const anyString = flat.some(({ kind }) => kind === "string")
  const byText = new Map(
    flat
      .filter(({ kind }) => !(anyString && kind === "literal"))
      .map((type) => [printReplyType(type), type] as const),
  )
  const rest = [...byText.values()].filter(({ kind }) => kind !== "null")
  const nothing = byText.get("null")
  const of = nothing ? [...rest, nothing] : rest
  const [only] = of
  return of.length === 1 && only ? only : { kind: "union", of }
}

/** The type in the words of TypeScript. */
export function printReplyType(type: ReplyType): string {
  switch (type.kind) {
    case "reply":
      return "Reply"
    case "literal":
      return `"${type.text}"`
    case "array":
      return type.of.kind === "union" ? `(${printReplyType(type.of)})[]` : `${printReplyType(type.of)}[]`
    case "map":
      return `Map<string, ${printReplyType(type.of)}>`
    case "set":
      return `Set<${printReplyType(type.of)}>`
    case "tuple": {
      const rest = type.rest ? [`...${printReplyType({ kind: "array", of: type.rest })}`] : []
      return `[${[...type.items.map(printReplyType), ...rest].join(", ")}]`
    }
    case "union":
      return type.of.map(printReplyType).join(" | ")
    default:
      return type.kind
  }
}
