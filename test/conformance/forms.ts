/**
 * The forms in which commands are tried, read from the text files in `forms/`: one in each line, which may begin with
 * what has to be done before, divided by `;`.
 *
 *     RPUSH l a b ; LPOP l 2
 *     [valkey>=9.0] SET k v ; DELIFEQ k v       for servers of that kind and version on
 *     own MULTI ; INCR k ; EXEC                 on a connection of its own
 *     ACL SAVE => ERR                           where an error with such a code is fine
 *     @ cluster                                 the lines below are for such a server
 *
 * `{0}` stands for the reply to the first command of the line, `{port}` for another server, `{library}` for the code of a
 * function.
 */
import { readdirSync, readFileSync } from "node:fs"
import { fileURLToPath } from "node:url"

export type ServerKind = "plain" | "cluster" | "sentinel" | "replica"

export interface Form {
  readonly line: string
  readonly server: ServerKind
  readonly before: ReadonlyArray<readonly string[]>
  readonly command: readonly string[]
  readonly own: boolean
  readonly errors: readonly string[]
  readonly needs: { readonly vendor: string; readonly version: string } | undefined
}

const folder = fileURLToPath(new URL("forms/", import.meta.url))
const LINE = /^(?:\[(\w+)>=([\d.]+)\] )?(own )?(.*?)(?: => ([A-Z|]+))?$/
const SERVERS: readonly ServerKind[] = ["plain", "cluster", "sentinel", "replica"]

export function readForms(): readonly Form[] {
  return readdirSync(folder)
    .sort()
    .flatMap((file) => parseForms(readFileSync(folder + file, "utf8")))
}

function parseForms(text: string): Form[] {
  let server: ServerKind = "plain"
  const forms: Form[] = []
  for (const line of text.trim().split("\n")) {
    if (line.startsWith("@ ")) server = SERVERS.find((kind) => kind === line.slice(2)) ?? "plain"
    else forms.push(parseForm(line, server))
  }
  return forms
}

function parseForm(line: string, server: ServerKind): Form {
  const [, vendor, version, own, commands = "", errors = ""] = LINE.exec(line) ?? []
  const list = splitCommands(commands)
  return {
    line,
    server,
    before: list.slice(0, -1),
    command: list.at(-1) ?? [],
    own: own !== undefined,
    errors: errors.split("|").filter((code) => code !== ""),
    needs: vendor === undefined || version === undefined ? undefined : { vendor, version },
  }
}

/** Words, of which those with spaces stand between quotes. */
function splitCommands(text: string): string[][] {
  const commands: string[][] = [[]]
  for (const [, quoted, word] of text.matchAll(/'([^']*)'|(\S+)/g)) {
    if (word === ";") commands.push([])
    else commands.at(-1)?.push(quoted ?? word ?? "")
  }
  return commands
}
