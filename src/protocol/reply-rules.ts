/**
 * The reply of a command that depends on its options. Types only; the rules themselves are in `builtin-replies.ts`.
 *
 * Options are looked for where they may stand and nowhere else, so a key or a value that is spelled like one does not
 * mislead. Where an argument that may be an option is not known when compiling, all replies are possible.
 */

import type {
  BuiltinReplies,
  BuiltinReplies3,
  BuiltinSubReplies,
  ByLength,
  ByWords,
} from "./builtin-replies.ts"
import type { Reply } from "./types.ts"

/** The reply whatever the options. */
export type AnyReply<Name, P> = Name extends keyof BuiltinReplies3
  ? P extends 3
    ? BuiltinReplies3[Name]
    : AnyReply2<Name>
  : AnyReply2<Name>

type AnyReply2<Name> = Name extends keyof BuiltinReplies
  ? BuiltinReplies[Name]
  : Name extends keyof BuiltinSubReplies
    ? BuiltinSubReplies[Name]
    : Reply

/** The reply to command `C` by `Rule`; what {@link AnyReply} says where it cannot be known. */
export type ByOptions<Rule, C, Name, P> = C extends readonly unknown[]
  ? Rule extends ByLength<infer Lengths, infer Otherwise>
    ? OfLength<Lengths, Otherwise, C["length"], Name, P>
    : Rule extends ByWords<infer From, infer Words, infer Replies, infer Leading>
      ? Scanned<Words, Replies, Leading, OptionsOf<C, From>, Name, P>
      : AnyReply<Name, P>
  : AnyReply<Name, P>

type OfLength<Lengths, Otherwise, Length extends number, Name, P> = Length extends keyof Lengths
  ? Lengths[Length]
  : number extends Length
    ? AnyReply<Name, P>
    : [Otherwise] extends [never]
      ? AnyReply<Name, P>
      : Otherwise

/** The arguments from an index on; `undefined` where that is not known. */
type OptionsOf<C, From> = From extends 2
  ? C extends readonly [unknown, unknown, ...infer Rest]
    ? Rest
    : undefined
  : From extends 3
    ? C extends readonly [unknown, unknown, unknown, ...infer Rest]
      ? Rest
      : undefined
    : From extends 4
      ? C extends readonly [unknown, unknown, unknown, unknown, ...infer Rest]
        ? Rest
        : undefined
      : From extends 5
        ? C extends readonly [unknown, unknown, unknown, unknown, unknown, ...infer Rest]
          ? Rest
          : undefined
        : From extends 6
          ? C extends readonly [unknown, unknown, unknown, unknown, unknown, unknown, ...infer Rest]
            ? Rest
            : undefined
          : From extends "numkeys"
            ? C extends readonly [unknown, infer Count, ...infer Rest]
              ? Behind<Rest, Count>
              : undefined
            : undefined

/** What is behind so many keys. */
type Behind<List, Count> = `${Count & (string | number)}` extends "1"
  ? List extends readonly [unknown, ...infer Rest]
    ? Rest
    : undefined
  : `${Count & (string | number)}` extends "2"
    ? List extends readonly [unknown, unknown, ...infer Rest]
      ? Rest
      : undefined
    : `${Count & (string | number)}` extends "3"
      ? List extends readonly [unknown, unknown, unknown, ...infer Rest]
        ? Rest
        : undefined
      : undefined

/** Reads one argument after the other; `Found` are the meanings of the words so far. */
type Scanned<Words, Replies, Leading, Options, Name, P, Found = never> = Options extends readonly []
  ? Chosen<Replies, Found>
  : Options extends readonly [infer First, ...infer Rest]
    ? First extends number | bigint
      ? Passed<Words, Replies, Leading, Rest, Name, P, Found>
      : First extends string
        ? Uppercase<First> extends keyof Words
          ? Word<Words[Uppercase<First>], Words, Replies, Leading, Rest, Name, P, Found>
          : // Only a literal is a key of its own.
            Record<never, never> extends { [Key in First]: true }
            ? AnyReply<Name, P>
            : Passed<Words, Replies, Leading, Rest, Name, P, Found>
        : AnyReply<Name, P>
    : AnyReply<Name, P>

/** An argument that is no option. */
type Passed<Words, Replies, Leading, Rest, Name, P, Found> = Leading extends true
  ? Chosen<Replies, Found>
  : Scanned<Words, Replies, Leading, Rest, Name, P, Found>

/** An option, and the arguments that belong to it. */
type Word<Entry, Words, Replies, Leading, Rest, Name, P, Found> = Entry extends [infer Takes, infer Meaning]
  ? Takes extends "rest"
    ? Chosen<Replies, Found | Meaning>
    : Takes extends 0
      ? Scanned<Words, Replies, Leading, Rest, Name, P, Found | Meaning>
      : Takes extends 1
        ? Rest extends readonly [unknown, ...infer After]
          ? Scanned<Words, Replies, Leading, After, Name, P, Found | Meaning>
          : AnyReply<Name, P>
        : Takes extends 2
          ? Rest extends readonly [unknown, unknown, ...infer After]
            ? Scanned<Words, Replies, Leading, After, Name, P, Found | Meaning>
            : AnyReply<Name, P>
          : Rest extends readonly [unknown, unknown, unknown, ...infer After]
            ? Scanned<Words, Replies, Leading, After, Name, P, Found | Meaning>
            : AnyReply<Name, P>
  : AnyReply<Name, P>

/** The first reply whose words were all found. */
type Chosen<Replies, Found> = Replies extends [[infer Needed, infer R], ...infer More]
  ? [Needed] extends [Found]
    ? R
    : Chosen<More, Found>
  : never
