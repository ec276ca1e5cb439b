/** Holds an actual reply against a type of the table. */
import { inspect } from "node:util"
import { printReplyType, type ReplyType } from "../../facts/reply-type.ts"

/** What is wrong with the reply, and where in it; `undefined` where it is of that type. */
export function mismatch(
  reply: unknown,
  type: ReplyType,
  bytes: boolean,
  path = "reply",
): string | undefined {
  const wrong = () =>
    `${path} is ${inspect(reply, { depth: 3, breakLength: 120 })}, not ${printReplyType(type)}`
  switch (type.kind) {
    case "reply":
      return reply === undefined ? wrong() : undefined
    case "null":
      return reply === null ? undefined : wrong()
    case "number":
      return typeof reply === "number" || typeof reply === "bigint" ? undefined : wrong()
    case "boolean":
      return typeof reply === "boolean" ? undefined : wrong()
    case "string":
      return isText(reply, bytes) ? undefined : wrong()
    case "literal":
      return isText(reply, bytes) && String(reply) === type.text ? undefined : wrong()
    case "array":
      return Array.isArray(reply) ? firstOf(reply, () => type.of, bytes, path) : wrong()
    case "set": {
      const members = bytes ? reply : reply instanceof Set && [...reply]
      return Array.isArray(members) ? firstOf(members, () => type.of, bytes, path) : wrong()
    }
    case "map":
      if (!(reply instanceof Map) || ![...reply.keys()].every((key) => typeof key === "string"))
        return wrong()
      return firstOf([...reply.values()], () => type.of, bytes, path)
    case "tuple": {
      if (!Array.isArray(reply)) return wrong()
      const fits = type.rest ? reply.length >= type.items.length : reply.length === type.items.length
      return fits ? firstOf(reply, (index) => type.items[index] ?? type.rest, bytes, path) : wrong()
    }
    case "union":
      return type.of.some((one) => mismatch(reply, one, bytes) === undefined) ? undefined : wrong()
  }
}

function isText(reply: unknown, bytes: boolean): boolean {
  return bytes ? Buffer.isBuffer(reply) : typeof reply === "string"
}

function firstOf(
  list: readonly unknown[],
  typeAt: (index: number) => ReplyType | undefined,
  bytes: boolean,
  path: string,
): string | undefined {
  for (const [index, item] of list.entries()) {
    const type = typeAt(index)
    const wrong = type && mismatch(item, type, bytes, `${path}[${index}]`)
    if (wrong) return wrong
  }
  return undefined
}
