/**
 * The text of a call as it stands in the source, so that what is shown is what runs. Relies on what the formatter
 * guarantees: a call that does not end on its first line ends on the next line with the same indentation.
 */
import { readFileSync } from "node:fs"
import { fileURLToPath } from "node:url"

const files = new Map<string, string[]>()

/**
 * What `const x = await stage.show(() => conn.command([…]))` shows: `const x = await conn.command([…])`.
 * `stack` is that of an error made in the function that was called there.
 */
export function shownCall(stack: string): string {
  const statement = statementAt(stack)
  const match = /^(.*?)\bstage\.\w+\((?:async )?\(\) =>\s(.*)\)$/s.exec(statement.join("\n"))
  if (!match) throw new Error(`not a call that can be shown:\n${statement.join("\n")}`)
  const [, before = "", body = ""] = match
  const block = /^\{\n(.*)\n\}$/s.exec(body)
  return block?.[1] === undefined ? before + dedent(body.replace(/,?\s*$/, "")) : dedent(`\n${block[1]}`)
}

/** The lines of the statement which the caller of the function with this stack stands at. */
function statementAt(stack: string): string[] {
  const [, file, line] = /^.*\n.*?((?:file:\/\/)?[^\s(]+):(\d+):\d+\)?$/m.exec(stack) ?? []
  if (file === undefined || line === undefined) throw new Error(`no call in this stack:\n${stack}`)
  const rest = linesOf(file.startsWith("file:") ? fileURLToPath(file) : file).slice(Number(line) - 1)
  const [first = ""] = rest
  const indentation = first.length - first.trimStart().length
  const isLast = /[([{>]$/.test(first)
    ? (text: string, index: number) => index > 0 && text.search(/\S/) === indentation
    : () => true
  return rest.slice(0, rest.findIndex(isLast) + 1).map((text) => text.slice(indentation))
}

function linesOf(file: string): string[] {
  const known = files.get(file)
  if (known) return known
  const lines = readFileSync(file, "utf8").split("\n")
  files.set(file, lines)
  return lines
}

/** Without the indentation that the lines after the first have in common. */
function dedent(text: string): string {
  const indentations = [...text.matchAll(/\n( *)\S/g)].map(([, spaces = ""]) => spaces.length)
  const common = Math.min(...indentations)
  return text.trimStart().replaceAll(`\n${" ".repeat(Number.isFinite(common) ? common : 0)}`, "\n")
}
