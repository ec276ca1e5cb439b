/**
 * The shape of a command's arguments: reads how the documentation writes them, and says what may follow the words that
 * are there. Knows neither commands nor terminals.
 */

/** `key`, `NX | XX`, `[EX seconds]`, `<LEFT | RIGHT>`, `[key …]`. */
type Part =
  | { readonly kind: "word"; readonly text: string; readonly isLiteral: boolean }
  | {
      readonly kind: "group"
      readonly isOptional: boolean
      readonly alternatives: readonly (readonly Part[])[]
      /** The name that stands before `…` may come again and again. */
      readonly repeats: boolean
    }

export interface Expectation {
  /** What may follow, as the documentation writes it. */
  readonly rest: string
  /** Words that may stand next as they are. */
  readonly literals: readonly string[]
}

const TOKEN = /[[\]<>|…]|[^\s[\]<>|…]+/g

/** What may follow the arguments that are complete. */
export function expectationAfter(hint: string, typed: readonly string[]): Expectation {
  const rest = consume(partsOf(hint), typed)
  return { rest: printParts(rest), literals: [...new Set(leadingLiterals(rest))] }
}

function partsOf(hint: string): Part[] {
  const tokens = hint.match(TOKEN) ?? []
  const position = { at: 0 }
  const [only = []] = readAlternatives(tokens, position, undefined)
  return [...only]
}

function readAlternatives(
  tokens: readonly string[],
  position: { at: number },
  close: string | undefined,
): Part[][] {
  const alternatives: Part[][] = [[]]
  for (; position.at < tokens.length; position.at++) {
    const token = tokens[position.at]
    if (token === undefined || token === close) break
    if (token === "|") alternatives.push([])
    else if (token === "[" || token === "<") {
      position.at += 1
      const inner = readAlternatives(tokens, position, token === "[" ? "]" : ">")
      alternatives.at(-1)?.push(groupOf(inner, token === "["))
    } else if (token !== "]" && token !== ">") {
      alternatives.at(-1)?.push({ kind: "word", text: token, isLiteral: isLiteral(token) })
    }
  }
  return alternatives
}

function groupOf(alternatives: readonly (readonly Part[])[], isOptional: boolean): Part {
  const last = alternatives.at(-1)?.at(-1)
  return { kind: "group", isOptional, alternatives, repeats: last?.kind === "word" && last.text === "…" }
}

/** Words that are sent as they stand are in capitals, or short units and signs. */
function isLiteral(text: string): boolean {
  return /^[A-Z][A-Z\d_.-]*$/.test(text) || /^(m|km|ft|mi)$/.test(text)
}

function consume(parts: readonly Part[], typed: readonly string[]): Part[] {
  let rest = [...parts]
  let words = typed
  while (words.length > 0 && rest.length > 0) {
    const [taken, after] = step(rest, words)
    words = words.slice(taken)
    rest = after
  }
  return rest
}

/** Lets the first of the parts take words: how many, and the parts that remain. */
function step(parts: readonly Part[], words: readonly string[]): [taken: number, rest: Part[]] {
  const [first, ...others] = parts
  if (first === undefined) return [words.length, []]
  if (first.kind === "word") return [1, first.text === "…" ? [...parts] : others]
  if (!first.isOptional) {
    const chosen =
      first.alternatives.find((parts) => beginsWith(parts, words[0])) ?? first.alternatives[0] ?? []
    return [1, [...consume(chosen, words.slice(0, 1)), ...others]]
  }
  // Options may come in any order, so each of those before the next argument is asked.
  const until = parts.findIndex((part) => part.kind === "word" || !part.isOptional)
  const options = until === -1 ? parts : parts.slice(0, until)
  for (const [index, option] of options.entries()) {
    if (option.kind !== "group") continue
    const chosen = option.alternatives.find(
      (parts) => startsWithLiteral(parts) && beginsWith(parts, words[0]),
    )
    if (chosen === undefined) continue
    const inner = chosen.slice(1)
    const remaining = parts.filter((_, at) => at !== index)
    return [1, [...inner, ...remaining]]
  }
  if (until !== -1) {
    // None of them: the next argument. A list that may go on does so only if nothing has to follow.
    return step(parts.slice(until), words)
  }
  const open = options.find((part) => part.kind === "group" && !part.alternatives.some(startsWithLiteral))
  if (open?.kind !== "group") return [1, [...parts]]
  if (open.repeats) return [1, [...parts]]
  const inner = open.alternatives[0]?.slice(1) ?? []
  return [1, [...inner, ...parts.filter((part) => part !== open)]]
}

function beginsWith(parts: readonly Part[], word: string | undefined): boolean {
  const [first] = parts
  if (first === undefined || word === undefined) return false
  if (first.kind === "word") return !first.isLiteral || first.text === word.toUpperCase()
  return first.alternatives.some((alternative) => beginsWith(alternative, word))
}

function startsWithLiteral(parts: readonly Part[]): boolean {
  const [first] = parts
  return first?.kind === "word" && first.isLiteral
}

/** Those that may come next: of the options until the first argument that has to be there, and its own. */
function leadingLiterals(parts: readonly Part[]): string[] {
  const literals: string[] = []
  for (const part of parts) {
    if (part.kind === "word") {
      if (part.isLiteral) literals.push(part.text)
      break
    }
    literals.push(...part.alternatives.flatMap(leadingLiterals))
    if (!part.isOptional) break
  }
  return literals
}

function printParts(parts: readonly Part[]): string {
  return parts.map(printPart).join(" ")
}

function printPart(part: Part): string {
  if (part.kind === "word") return part.text
  const inner = part.alternatives.map(printParts).join(" | ")
  return part.isOptional ? `[${inner}]` : `<${inner}>`
}
