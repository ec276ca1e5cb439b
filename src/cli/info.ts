/** Replies of servers that describe themselves, as fields by name. Knows nothing of what they mean. */

/** The lines `name:value` of `INFO` and its kin. */
export function infoFields(reply: unknown): ReadonlyMap<string, string> {
  const fields = new Map<string, string>()
  for (const line of String(reply).split(/\r?\n/)) {
    const colon = line.indexOf(":")
    if (colon > 0 && !line.startsWith("#")) fields.set(line.slice(0, colon), line.slice(colon + 1))
  }
  return fields
}

/** The same of a field such as `ip=10.0.0.1,port=6379,state=online`. */
export function listFields(value: string): ReadonlyMap<string, string> {
  return new Map(
    value.split(",").map((pair) => {
      const at = pair.indexOf("=")
      return [pair.slice(0, at), pair.slice(at + 1)] as const
    }),
  )
}

/** A map of RESP3, or the flat array that stands for one in RESP2. */
export function mapFields(reply: unknown): ReadonlyMap<string, unknown> {
  if (reply instanceof Map) return new Map([...reply].map(([key, value]) => [String(key), value]))
  const fields = new Map<string, unknown>()
  if (!Array.isArray(reply)) return fields
  for (let index = 0; index + 1 < reply.length; index += 2) fields.set(String(reply[index]), reply[index + 1])
  return fields
}

/** `undefined` where there is no such number. */
export function numberField(fields: ReadonlyMap<string, unknown>, name: string): number | undefined {
  const text = fields.get(name)
  const value = text === undefined || text === "" ? Number.NaN : Number(text)
  return Number.isFinite(value) ? value : undefined
}
