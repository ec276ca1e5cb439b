/** Where a line has a password in it: what is neither shown nor remembered. Knows nothing of screens and files. */

/** What stands before a password, up to it. */
const BEFORE_SECRETS: readonly RegExp[] = [
  /^\s*AUTH\s+/i,
  /^\s*HELLO\s.*?\sAUTH\s+/is,
  /^\s*CONFIG\s+SET\s.*?(?:pass|user|auth)\S*\s+/is,
  /^\s*SENTINEL\s+(?:CONFIG\s+)?SET\s.*?(?:pass|user|auth)\S*\s+/is,
  /^\s*ACL\s+SETUSER\s+\S+\s+/i,
  /^\s*MIGRATE\s.*?\sAUTH2?\s+/is,
]

/** The index from which the line is secret, or `undefined`. A word of the prompt (`:time`) may stand before it. */
export function secretStart(line: string): number | undefined {
  const lead = /^\s*:\w+\s/.exec(line)?.[0] ?? ""
  const rest = line.slice(lead.length).replace(/["']/g, " ")
  for (const pattern of BEFORE_SECRETS) {
    const match = pattern.exec(rest)
    if (match) return lead.length + match[0].length
  }
  return undefined
}
