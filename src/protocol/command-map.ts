/**
 * From a command to the type of its reply. Types only.
 *
 * A lookup by the command's name in a table of interfaces, which users extend by declaration merging; a name that is not
 * there, or not known when compiling, gives {@link Reply}.
 */

import type { ConnectionError, RedisError, RedixError } from "../errors.ts"
import type { Encoding, Protocol } from "../options.ts"
import type { BuiltinReplies, BuiltinReplies3 } from "./builtin-replies.ts"
import type { Argument, Reply } from "./types.ts"

/**
 * Reply types by command name in capitals, for both protocols. Open to declaration merging; strings become `Buffer`
 * under `encoding: "buffer"`.
 *
 * @example
 * declare module "@redix/client" {
 *   interface Replies { "MY.CMD": number }
 * }
 */
export interface Replies {}

/** As {@link Replies}, for `protocol: 3` where the reply differs there. */
export interface Replies3 {}

/** The names of commands whose reply type is known. Any other name works as well. */
export type CommandName = (keyof BuiltinReplies | keyof Replies) & string

/** A command as an array: its name, then its arguments. */
export type Command = readonly [CommandName | (string & {}), ...Argument[]] | readonly Argument[]

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

type Lookup<Name extends string, P extends Protocol> = Name extends keyof Replies3
  ? P extends 3
    ? Replies3[Name]
    : LookupBoth<Name, P>
  : LookupBoth<Name, P>

type LookupBoth<Name extends string, P extends Protocol> = Name extends keyof Replies
  ? Replies[Name]
  : Name extends keyof BuiltinReplies3
    ? P extends 3
      ? BuiltinReplies3[Name]
      : BuiltinReplies[Name & keyof BuiltinReplies]
    : Name extends keyof BuiltinReplies
      ? BuiltinReplies[Name]
      : Reply

/** The type of a command's reply. */
export type ReplyOf<C, P extends Protocol = 2, E extends Encoding = "utf8"> = C extends readonly [
  infer Name extends string,
  ...unknown[],
]
  ? Decoded<Lookup<Uppercase<Name>, P>, E>
  : Reply

/** The replies of a pipeline, in the order of its commands. */
export type PipelineReplies<
  Cs extends readonly unknown[],
  P extends Protocol = 2,
  E extends Encoding = "utf8",
> = {
  -readonly [I in keyof Cs]: ReplyOf<Cs[I], P, E> | RedisError
}

/** What {@link unwrap} gives for the replies of a pipeline: the same without the errors. */
export type Unwrapped<T> = T extends readonly unknown[]
  ? { -readonly [I in keyof T]: Exclude<T[I], RedixError | RedisError | ConnectionError> }
  : T
