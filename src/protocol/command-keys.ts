/**
 * Where the keys of a command are, and whether it only reads: what decides which server it goes to. Leaves to others
 * which one that is. The facts are those of the generated table, read when they are first needed.
 */

import { argumentText, type CommandInfo } from "./command-info.ts"
import { KEY_POSITIONS } from "./command-table.ts"

/** Appends keys to the list, or returns `false` where only the server knows them. */
type KeyFinder = (command: readonly unknown[], keys: unknown[]) => boolean

interface KeyFacts {
  readonly finders: readonly KeyFinder[]
  /** The index of the first key, 0 if there is none, -1 where that depends on the arguments. */
  firstPlace: number
  readonly readOnly: boolean
}

let table: ReadonlyMap<string, KeyFacts> | undefined

/**
 * The keys of the command, as they were given: none for a command without keys, `"unknown"` for one that is not in the
 * table or whose keys only the server can tell.
 */
export function keysOf(command: readonly unknown[]): readonly unknown[] | "unknown" {
  const facts = factsOf(command)
  if (facts === undefined) return "unknown"
  const keys: unknown[] = []
  return facts.finders.every((find) => find(command, keys)) ? keys : "unknown"
}

/**
 * Where the first key of the command is: its index, 0 if it has none, -1 where more than the name decides. For the path of
 * every command in a cluster.
 */
export function firstKeyPlace(info: CommandInfo): number {
  info.keyPlace ??= lookUpPlace(info.name)
  return info.keyPlace
}

/** Whether a replica may answer it. `false` for what is not in the table. */
export function isReadOnly(command: readonly unknown[]): boolean {
  return factsOf(command)?.readOnly ?? false
}

function factsOf(command: readonly unknown[]): KeyFacts | undefined {
  table ??= readTable()
  const first = argumentText(command[0]).toUpperCase()
  return table.get(`${first}|${argumentText(command[1]).toUpperCase()}`) ?? table.get(first)
}

function lookUpPlace(name: string): number {
  table ??= readTable()
  return table.get(name)?.firstPlace ?? -1
}

function readTable(): ReadonlyMap<string, KeyFacts> {
  const facts = new Map<string, KeyFacts>()
  for (const [places, names] of Object.entries(KEY_POSITIONS)) {
    const finders = places === "" ? [] : places.split(" + ").map(keyFinder)
    const firstPlace = firstPlaceOf(places)
    for (const name of names.split(" ")) {
      const readOnly = name.endsWith("!")
      facts.set(readOnly ? name.slice(0, -1) : name, { finders, firstPlace, readOnly })
    }
  }
  // What a container has at its second place decides.
  for (const name of facts.keys()) {
    const container = facts.get(name.split("|", 1)[0] ?? "")
    if (name.includes("|") && container !== undefined) container.firstPlace = -1
  }
  return facts
}

function firstPlaceOf(places: string): number {
  if (places === "") return 0
  // MIGRATE has one key, or an empty one and a list.
  return places.includes("after KEYS") ? -1 : Number(/^\d+/.exec(places)?.[0] ?? -1)
}

/** `1`, `1..-1/2`, `numkeys 2/2`, `after STREAMS half from 4`. */
function keyFinder(place: string): KeyFinder {
  const [where = "", step = "1"] = place.split("/")
  const [word = "", argument = "", which = "", , from] = where.split(" ")
  if (word === "numkeys") return countedKeys(Number(argument), Number(step))
  if (word === "after") return keysAfter(argument, which, Number(from))
  const [first = "", last = first] = where.split("..")
  return keyRange(Number(first), Number(last), Number(step))
}

function keyRange(first: number, last: number, step: number): KeyFinder {
  return (command, keys) => {
    const end = last < 0 ? command.length + last : Math.min(last, command.length - 1)
    for (let index = first; index <= end; index += step) keys.push(command[index])
    return true
  }
}

function countedKeys(count: number, step: number): KeyFinder {
  return (command, keys) => {
    const number = Number(argumentText(command[count]) || "none")
    const end = count + number * step
    // The server refuses such a command: nobody knows what its keys would have been.
    if (!Number.isInteger(number) || number < 0 || end > command.length - 1 + (step - 1)) return false
    for (let index = count + 1; index <= end; index += step) keys.push(command[index])
    return true
  }
}

/** One key after the word, all that follow, or the first half of them. */
function keysAfter(word: string, which: string, from: number): KeyFinder {
  return (command, keys) => {
    let at = from
    while (at < command.length && argumentText(command[at]).toUpperCase() !== word) at++
    const following = command.slice(at + 1)
    // The empty string before a list of keys is none.
    if (which === "all" && following.length > 0 && argumentText(keys[0]) === "") keys.length = 0
    const count = which === "one" ? 1 : which === "half" ? following.length / 2 : following.length
    keys.push(...following.slice(0, count))
    return true
  }
}
