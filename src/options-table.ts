/**
 * What a table of options is: rows that describe and check one option each, a set of rows, and the reading of an
 * options object by its set. Leaves to options.ts which options there are, and to everybody else what they do.
 *
 * Messages name the option and the type of what was given, never a string that was given: it may be a secret.
 */

import { describe, isPlainObject } from "./util/describe.ts"

/** Where a value was found, for messages: `Redix option "sentinel.group"`. */
export interface Place {
  /** The name of the set: `"Redix"`. */
  readonly set: string
  /** The name of the option, with those of the objects around it; empty for the options object itself. */
  readonly path: string
}

/** What is said of an option, in messages and in docs/options.md. */
export interface OptionFacts<T> {
  /** The type as TypeScript writes it. */
  readonly type: string
  /** What is allowed, so that it can follow "expected". */
  readonly expected: string
  readonly unit?: "ms"
  /** What an option that is not given becomes. */
  readonly default?: T
  /** What it means: one line of Markdown. */
  readonly doc: string
  /** Names by which the option goes elsewhere; a mistaken one is answered with the right name. */
  readonly aliases?: readonly string[]
}

/** One option. */
export interface OptionRow<T> extends OptionFacts<T> {
  /** The checked value, in the form that the driver works with; throws a `TypeError` for one that is not allowed. */
  readonly read: (value: unknown, place: Place) => T
}

/** A row for each option of `R`, the options as the driver works with them. */
export type OptionRows<R> = { readonly [K in keyof R]-?: OptionRow<Given<R[K]>> }

type Given<T> = Exclude<T, undefined>

interface OptionEntry {
  readonly row: OptionRow<unknown>
  readonly place: Place
}

/** The names of a set; enough to check an options object by it. */
export interface OptionNames {
  readonly name: string
  readonly entries: ReadonlyMap<string, OptionEntry>
  /** What to say of names that are no options, but that people try. */
  readonly hints: ReadonlyMap<string, string>
}

/** The options of one function, or of one object. Sets share rows: `optionSet("Pool", { ...redixRows, ...poolRows })`. */
export interface OptionSet<R> extends OptionNames {
  readonly rows: OptionRows<R>
}

/** The options that an object gives, checked for their names only. */
export type GivenOptions = ReadonlyMap<string, unknown>

/** Reads options one by one: from the first of several sources that gives it. */
export interface OptionReader<R> {
  optional<K extends keyof R & string>(name: K): Given<R[K]> | undefined
  /** The same for an option that has a default. */
  filled<K extends keyof R & string>(name: K): Given<R[K]>
}

export function optionSet<R>(
  name: string,
  rows: OptionRows<R> & Readonly<Record<string, OptionRow<unknown>>>,
  hints: Readonly<Record<string, string>> = {},
): OptionSet<R> {
  const entries = new Map<string, OptionEntry>()
  const table: Readonly<Record<string, OptionRow<unknown>>> = rows
  for (const [path, row] of Object.entries(table)) entries.set(path, { row, place: { set: name, path } })
  return { name, rows, entries, hints: new Map(Object.entries(hints)) }
}

/** A row whose values pass as they are. */
export function row<T>(is: (value: unknown) => value is T, facts: OptionFacts<T>): OptionRow<T> {
  return {
    ...facts,
    read(value, place) {
      if (is(value)) return value
      throw misuse(place, `expected ${facts.expected}, got ${describe(value)}`)
    },
  }
}

/** A row for numbers; a number that is not allowed is shown, since it is no secret. */
export function numberRow(
  isAllowed: (value: number) => boolean,
  facts: OptionFacts<number>,
): OptionRow<number> {
  return {
    ...facts,
    read(value, place) {
      if (typeof value === "number" && isAllowed(value)) return value
      throw misuse(
        place,
        `expected ${facts.expected}, got ${typeof value === "number" ? value : describe(value)}`,
      )
    },
  }
}

/** The options that `options` gives, without those that are `undefined`; throws for a name that the set lacks. */
export function givenOptions(
  set: OptionNames,
  options: unknown,
  place: Place = { set: set.name, path: "" },
): GivenOptions {
  if (!isPlainObject(options)) throw notAnObject(options, place)
  const given = new Map<string, unknown>()
  for (const [name, value] of Object.entries(options)) {
    if (!set.entries.has(name)) throw unknownOption(set, name, place)
    if (value !== undefined) given.set(name, value)
  }
  return given
}

/** Throws a `TypeError` unless `options` is `undefined` or an object that the set allows. Allocates nothing if it is. */
export function checkOptions(set: OptionNames, options: unknown): void {
  if (options === undefined) return
  if (!isPlainObject(options)) throw notAnObject(options, { set: set.name, path: "" })
  for (const name in options) {
    const entry = set.entries.get(name)
    if (entry !== undefined) {
      const value = options[name]
      if (value !== undefined) entry.row.read(value, entry.place)
    } else if (Object.hasOwn(options, name)) {
      throw unknownOption(set, name, { set: set.name, path: "" })
    }
  }
}

/** A reader of the options of a set, from sources of which an earlier one wins. */
export function readOptions<R>(
  set: OptionSet<R>,
  sources: readonly GivenOptions[],
  place: Place = { set: set.name, path: "" },
): OptionReader<R> {
  function optional<K extends keyof R & string>(name: K): Given<R[K]> | undefined {
    const row: OptionRow<Given<R[K]>> = set.rows[name]
    const source = sources.find((given) => given.has(name))
    return source === undefined ? row.default : row.read(source.get(name), inside(place, name))
  }
  function filled<K extends keyof R & string>(name: K): Given<R[K]> {
    const value = optional(name)
    if (value === undefined) throw misuse(inside(place, name), "it has to be given")
    return value
  }
  return { optional, filled }
}

/** The place of an option inside the object at `place`. */
export function inside(place: Place, name: string): Place {
  return { set: place.set, path: place.path === "" ? name : `${place.path}.${name}` }
}

/** The place of an item of the array at `place`. */
export function at(place: Place, index: number): Place {
  return { set: place.set, path: `${place.path}[${index}]` }
}

/** The `place` as messages begin with it. */
export function label(place: Place): string {
  return place.path === "" ? `${place.set} options` : `${place.set} option "${place.path}"`
}

/** The error for a caller's mistake at `place`. */
export function misuse(place: Place, problem: string): TypeError {
  return new TypeError(`${label(place)}: ${problem}`)
}

function notAnObject(value: unknown, place: Place): TypeError {
  return misuse(place, `expected an object, got ${describe(value)}`)
}

function unknownOption(set: OptionNames, name: string, place: Place): TypeError {
  // What does not look like a name may be something else by mistake, and is not repeated.
  if (!/^[a-z_$][\w$-]{0,39}$/i.test(name))
    return misuse(place, "there is an option of unknown name among them")
  const near = nearestName(set, name)
  const known =
    near === undefined ? `known are ${[...set.entries.keys()].join(", ")}` : `did you mean "${near}"?`
  return misuse(inside(place, name), `unknown option; ${set.hints.get(name) ?? known}`)
}

function nearestName(set: OptionNames, name: string): string | undefined {
  const wanted = normalized(name)
  let nearest: string | undefined
  let least = wanted.length < 4 ? 1 : 2
  for (const [known, { row }] of set.entries) {
    if (row.aliases?.some((alias) => normalized(alias) === wanted)) return known
    const distance = editDistance(wanted, normalized(known))
    if (distance < least || (distance === least && nearest === undefined)) {
      nearest = known
      least = distance
    }
  }
  return nearest
}

function normalized(name: string): string {
  return name.replace(/[_-]/g, "").toLowerCase()
}

/** How many letters have to be put in, taken out or replaced to make `b` of `a` (Levenshtein). */
function editDistance(a: string, b: string): number {
  let above = Array.from({ length: b.length + 1 }, (_, column) => column)
  for (let row = 1; row <= a.length; row++) {
    const line = [row]
    for (let column = 1; column <= b.length; column++) {
      const replaced = (above[column - 1] ?? 0) + (a[row - 1] === b[column - 1] ? 0 : 1)
      line.push(Math.min(replaced, (above[column] ?? 0) + 1, (line[column - 1] ?? 0) + 1))
    }
    above = line
  }
  return above[b.length] ?? 0
}
