/**
 * What every kind of request does with the commands it is given: check them, encode them, and note in its terms what is
 * special about them. Knows no replies.
 */

import type { CommandInfo, SpecialCommand } from "../protocol/command-info.ts"
import { argumentText, commandInfo } from "../protocol/command-info.ts"
import { type CommandSink, commandLabel } from "../protocol/encode.ts"
import { describe } from "../util/describe.ts"
import type { Request, SessionEffect } from "./request.ts"

/** Checks that a command is a non-empty array and encodes it. */
export function encodeCommand(
  request: Request,
  sink: CommandSink,
  command: unknown,
  replyIndex: number,
): CommandInfo {
  if (!Array.isArray(command) || command.length === 0) throw notACommand(command)
  const info = commandInfo(command[0])
  if (info.special !== undefined) noteSpecial(request, info.special, command, replyIndex)
  sink.command(command)
  return info
}

/** Checks that `commands` is a non-empty array of commands, which the encoding looks at one by one. */
export function checkPipeline(commands: readonly unknown[]): void {
  if (!Array.isArray(commands)) {
    throw new TypeError(
      `a pipeline must be an array of commands, such as [["GET", "key"]], got ${describe(commands)}`,
    )
  }
  if (commands.length === 0)
    throw new TypeError("a pipeline must hold at least one command, got an empty array ([])")
}

/** Whether one of the commands, which are not checked, is special. */
export function hasSpecial(commands: readonly unknown[]): boolean {
  if (!Array.isArray(commands)) return false
  for (let index = 0; index < commands.length; index++) if (isSpecialCommand(commands[index])) return true
  return false
}

export function isSpecialCommand(command: unknown): boolean {
  return Array.isArray(command) && commandInfo(command[0]).special !== undefined
}

type Pipeline = ReadonlyArray<readonly unknown[]>

/** For short commands, a literal takes half of the time. */
export function copyCommand(command: readonly unknown[]): readonly unknown[] {
  if (command.length === 2) return [command[0], command[1]]
  if (command.length === 3) return [command[0], command[1], command[2]]
  return command.slice()
}

export function copyCommands(commands: Pipeline): Pipeline {
  return commands.map(copyCommand)
}

/** Says at which place of a pipeline a misuse was found. */
export function atPlace(error: unknown, index: number): unknown {
  return error instanceof TypeError ? new TypeError(`pipeline element ${index}: ${error.message}`) : error
}

/** The names of a pipeline's commands for its error replies; one string while they are all the same. */
export type CommandNames = string | undefined | Array<string | undefined>

/** Encodes the commands one after the other; the reply to the first is the request's reply number `firstReply`. */
export function encodeCommands(
  request: Request,
  sink: CommandSink,
  commands: ReadonlyArray<readonly unknown[]>,
  firstReply: number,
): CommandNames {
  const count = commands.length
  let names: CommandNames
  for (let index = 0; index < count; index++) {
    const name = encodeAt(request, sink, commands, index, firstReply)
    if (index === 0) names = name
    else if (Array.isArray(names)) names.push(name)
    else if (names !== name) names = [...new Array<string | undefined>(index).fill(names), name]
  }
  return names
}

function encodeAt(
  request: Request,
  sink: CommandSink,
  commands: ReadonlyArray<readonly unknown[]>,
  index: number,
  firstReply: number,
): string | undefined {
  try {
    return encodeCommand(request, sink, commands[index], firstReply + index).shownName
  } catch (error) {
    throw atPlace(error, index)
  }
}

export function nameAt(names: CommandNames, index: number): string | undefined {
  return Array.isArray(names) ? names[index] : names
}

/** Refuses the commands that `words` names, because `why`. */
export function refuseCommands(commands: readonly unknown[], words: ReadonlySet<string>, why: string): void {
  for (let index = 0; index < commands.length; index++) {
    const command = commands[index]
    const name = Array.isArray(command) ? commandInfo(command[0]).name : ""
    if (words.has(name))
      throw new TypeError(`pipeline element ${index}: command ${name} is refused here: ${why}`)
  }
}

function noteSpecial(
  request: Request,
  special: SpecialCommand,
  command: readonly unknown[],
  replyIndex: number,
): void {
  const refusal = special.refusal?.(command)
  if (refusal !== undefined) throw new TypeError(`${commandLabel(command)} is refused: ${refusal}`)
  const kind = special.sessionEffect?.(command)
  if (kind !== undefined) {
    const terms = request.needTerms()
    terms.effects ??= []
    const database = kind === "select" ? databaseOf(command) : undefined
    terms.effects.push({ kind, replyIndex, database, isAnswered: false })
  }
  noteBlocking(request, special.blockMs?.(command) ?? 0)
}

/** Nothing blocks inside of a MULTI, which may be one that was opened before the request. */
function noteBlocking(request: Request, blockMs: number): void {
  if (blockMs === 0) return
  const terms = request.needTerms()
  if (!isInsideMulti(terms.effects, false)) terms.blockMs += blockMs
  if (!isInsideMulti(terms.effects, true)) terms.blockMsInMulti += blockMs
}

/** Whether a MULTI is open after these effects. */
function isInsideMulti(effects: readonly SessionEffect[] | undefined, wasOpen: boolean): boolean {
  let isOpen = wasOpen
  for (const { kind } of effects ?? []) {
    if (kind === "multi") isOpen = true
    else if (kind === "exec" || kind === "discard") isOpen = false
  }
  return isOpen
}

function databaseOf(command: readonly unknown[]): number | undefined {
  const database = Number(argumentText(command[1]))
  return Number.isInteger(database) ? database : undefined
}

function notACommand(command: unknown): TypeError {
  if (Array.isArray(command)) return new TypeError("a command must not be empty, got an empty array ([])")
  return new TypeError(`a command must be an array such as ["GET", "key"], got ${describe(command)}`)
}
