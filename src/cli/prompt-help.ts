/** What can be done at the prompt, and what is known of a command there. Leaves to the table what that is. */

import { allCommands, type CommandFacts, findCommand } from "./catalogue.ts"
import type { Paint } from "./terminal.ts"

/** What `:help` prints, of all or of the command that the words name. */
export function promptHelp(words: readonly string[], paint: Paint): string {
  const { bold, dim, cyan } = paint
  const command = findCommand(words)
  if (words.length > 0 && command === undefined) return `nothing is known of ${words.join(" ")}`
  if (command) return describeCommand(command, paint)
  const rows = [
    [":help COMMAND", "arguments and reply of a command"],
    [":pipeline", "collect commands; :send sends them together, :cancel forgets them"],
    [":time", "show how long each command takes, or stop it; :time COMMAND for one"],
    [":format", "pretty, json or raw"],
    [":clear", "an empty screen"],
    [":quit", "leave, as Ctrl-D"],
  ]
  const list = rows.map(([name = "", does = ""]) => `  ${cyan(name.padEnd(14))} ${does}`)
  return [
    bold("At the prompt"),
    ...list,
    dim(
      "Words are quoted as in redis-cli: \"a\\n\\x00\", 'a b'. A quote that is open goes on in the next line.",
    ),
    dim("Ctrl-C ends a command that runs, or forgets the line. Passwords are neither shown nor remembered."),
  ].join("\n")
}

function describeCommand(command: CommandFacts, { bold, dim, cyan, yellow }: Paint): string {
  if (command.isContainer) {
    const members = [...allCommands().values()].filter(({ name }) => name.startsWith(`${command.name} `))
    return members.map(({ name, hint }) => `${bold(name)} ${dim(hint)}`).join("\n")
  }
  const lines = [`${bold(command.name)} ${cyan(command.hint)}`]
  if (command.reply !== "") lines.push(`  reply: ${command.reply}`)
  lines.push(dim(`  since ${command.since}`))
  if (command.isDeprecated) lines.push(yellow("  deprecated: there is something better"))
  if (command.isRefused)
    lines.push(yellow("  not at this prompt: it would take the connection from other commands"))
  return lines.join("\n")
}
