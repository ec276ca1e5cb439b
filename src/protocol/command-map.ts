/**
 * From a command to the type of its reply. Types only.
 *
 * A lookup by the command's name in interfaces, which users extend by declaration merging; a name that is not there, or
 * not known when compiling, gives {@link Reply}. What depends on options is left to `reply-rules.ts`, the facts to
 * `builtin-replies.ts`.
 */

import type { ConnectionError, RedisError, RedixError } from "../errors.ts"
import type { Encoding, Protocol } from "../options.ts"
import type {
  BuiltinReplies,
  BuiltinReplies3,
  BuiltinSubReplies,
  Containers,
  RepliesByOptions,
  RepliesByOptions3,
  TooShort,
} from "./builtin-replies.ts"
import type { AnyReply, ByOptions } from "./reply-rules.ts"
import type { Argument, Reply } from "./types.ts"

/**
 * Reply types by command name in capitals, for both protocols; commands of two words, such as `"CONFIG GET"`, by both of
 * them. Open to declaration merging; strings become `Buffer` under `encoding: "buffer"`.
 *
 * @example
 * declare module "@redix/client" {
 *   interface Replies { "MY.CMD": number }
 * }
 */
export interface Replies {}

/** As {@link Replies}, for `protocol: 3` where the reply differs there. */
export interface Replies3 {}

type OwnNames = keyof Replies | keyof Replies3
type FirstWord<Name> = Name extends `${infer First} ${string}` ? First : Name

/** The names of commands whose reply type is known. Any other name works as well. */
export type CommandName = keyof BuiltinReplies | keyof Containers | (FirstWord<OwnNames> & string)

/** A command as an array: its name, then its arguments. */
export type Command = readonly [CommandName | (string & {}), ...Argument[]] | readonly Argument[]

/** Commands whose second word says which one is meant. */
type ContainerName =
  | keyof Containers
  | (OwnNames extends infer N ? (N extends `${infer First} ${string}` ? First : never) : never)

type KnownName = keyof BuiltinReplies | keyof BuiltinSubReplies | OwnNames

/** The name of a command as the interfaces have it; `undefined` where none is known. */
type NameOf<C> = C extends readonly [infer First extends string, ...unknown[]]
  ? string extends First
    ? undefined
    : FullName<Uppercase<First>, C>
  : undefined

type FullName<First extends string, C> = First extends ContainerName
  ? C extends readonly [unknown, infer Second extends string, ...unknown[]]
    ? SubName<First, `${First} ${Uppercase<Second>}`>
    : First
  : First

/** What is no known subcommand may still be an argument of the first word. */
type SubName<First extends string, Both extends string> = Both extends KnownName ? Both : First

type Lookup2<Name, C> = Name extends keyof Replies
  ? Replies[Name]
  : Name extends keyof RepliesByOptions
    ? ByOptions<RepliesByOptions[Name], C, Name, 2>
    : AnyReply<Name, 2>

type Lookup3<Name, C> = Name extends keyof Replies3
  ? Replies3[Name]
  : Name extends keyof Replies
    ? Replies[Name]
    : Name extends keyof RepliesByOptions3
      ? ByOptions<RepliesByOptions3[Name], C, Name, 3>
      : Name extends keyof BuiltinReplies3
        ? BuiltinReplies3[Name]
        : Lookup2<Name, C>

type Decoded<T, E extends Encoding> = E extends "utf8" ? T : AsBuffers<T>

/** The same reply with `Buffer` for each string. The keys of a map stay strings, a set becomes an array. */
type AsBuffers<T> = [Reply] extends [T] ? T : EachAsBuffers<T>

type EachAsBuffers<T> = T extends string
  ? Buffer
  : T extends Map<infer K, infer V>
    ? Map<K, AsBuffers<V>>
    : T extends Set<infer V>
      ? AsBuffers<V>[]
      : T extends RedisError | Buffer
        ? T
        : T extends readonly unknown[]
          ? { [I in keyof T]: AsBuffers<T[I]> }
          : T

/**
 * The reply under each protocol. A member for each, and not a condition: so the compiler sees without looking at any
 * command that a client of one protocol is a client of either.
 */
interface UnderProtocol<C, E extends Encoding> {
  2: Decoded<Lookup2<NameOf<C>, C>, E>
  3: Decoded<Lookup3<NameOf<C>, C>, E>
}

/** The type of a command's reply. */
export type ReplyOf<C, P extends Protocol = 2, E extends Encoding = "utf8"> = C extends readonly unknown[]
  ? UnderProtocol<C, E>[P]
  : Reply

/** The replies of a pipeline, in the order of its commands. */
export type PipelineReplies<
  Cs extends readonly unknown[],
  P extends Protocol = 2,
  E extends Encoding = "utf8",
  Failure = RedisError,
> = {
  -readonly [I in keyof Cs]: ReplyOf<Cs[I], P, E> | Failure
}

/** What {@link unwrap} gives for the replies of a pipeline: the same without the errors. */
export type Unwrapped<T> = T extends readonly unknown[]
  ? { -readonly [I in keyof T]: Exclude<T[I], RedixError | RedisError | ConnectionError> }
  : T

/** In place of a command that its server would refuse: it needs more arguments. */
export interface CommandTooShort extends ReadonlyArray<unknown> {
  readonly error: "this command needs more arguments"
}

/** `true` for a command that is too short. */
type IsTooShort<C> = C extends readonly unknown[]
  ? NameOf<C> extends infer Name extends keyof TooShort
    ? C["length"] extends TooShort[Name]
      ? true
      : undefined
    : undefined
  : undefined

type HasTooShort<Cs> = Cs extends readonly (infer C)[]
  ? true extends IsTooShort<C>
    ? true
    : undefined
  : undefined

/**
 * `undefined` for a type that may be anything, else `Answer`. That is how the compiler sees that nothing is asked of a
 * generic command, and lets wrappers pass theirs on: taken for anything, it is not `true` that it is too short.
 */
type Sure<T, Answer> = [0, T] extends [1 & T, T] ? undefined : Answer

/**
 * What editors take the names from that they offer. A generic parameter has nothing to offer by itself, since every string
 * may be a command; nothing can be passed for this one.
 */
type Suggested = readonly [CommandName, ...Argument[]] & { readonly onlySuggested: never }

/** A command as a parameter: `C`, but not where it is known to be too short. */
export type CommandParameter<C> = [Sure<C, IsTooShort<C>>] extends [true] ? CommandTooShort : C | Suggested

/** The commands of a pipeline as a parameter: `Cs`, but not where one of them is known to be too short. */
export type PipelineParameter<Cs> = [Sure<Cs, HasTooShort<Cs>>] extends [true]
  ? MarkedTooShort<Cs>
  : Cs | readonly Suggested[]

/** So that the error is where the command is. */
type MarkedTooShort<Cs> = { [I in keyof Cs]: IsTooShort<Cs[I]> extends true ? CommandTooShort : Cs[I] }
