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
    : Rule extends AnyWords
      ? Scanned<Rule, OptionsOf<C, Rule["from"]>, AnyReply<Name, P>>
      : AnyReply<Name, P>
  : AnyReply<Name, P>

type AnyWords = ByWords<unknown, unknown, unknown, unknown>

type OfLength<Lengths, Otherwise, Length extends number, Name, P> = Length extends keyof Lengths
  ? Lengths[Length]
  : number extends Length
    ? AnyReply<Name, P>
    : [Otherwise] extends [never]
      ? AnyReply<Name, P>
      : Otherwise

/** So many elements, to be skipped. */
interface Skipped {
  1: [unknown]
  2: [unknown, unknown]
  3: [unknown, unknown, unknown]
  4: [unknown, unknown, unknown, unknown]
  5: [unknown, unknown, unknown, unknown, unknown]
  6: [unknown, unknown, unknown, unknown, unknown, unknown]
  7: [unknown, unknown, unknown, unknown, unknown, unknown, unknown]
  8: [unknown, unknown, unknown, unknown, unknown, unknown, unknown, unknown]
}

/** The arguments from an index on; `undefined` where that is not known. */
type OptionsOf<C, From> = From extends "numkeys"
  ? C extends readonly [unknown, infer Count, ...infer Rest]
    ? Behind<Rest, Count extends `${infer N extends number}` ? N : Count>
    : undefined
  : Behind<C, From>

/** What is behind so many elements. */
type Behind<List, Count> = Count extends keyof Skipped
  ? List extends readonly [...Skipped[Count], ...infer Rest]
    ? Rest
    : undefined
  : undefined

/**
 * Reads one argument after the other; `Found` are the meanings of the words so far. What is no option is passed by without
 * another type in between: the compiler follows some hundreds of them, and no more.
 */
type Scanned<Rule extends AnyWords, Options, Any, Found = never> = Options extends readonly []
  ? Chosen<Rule["replies"], Found>
  : Options extends readonly [infer First, ...infer Rest]
    ? Meant<First, Rule["words"]> extends infer Entry
      ? Entry extends "no option"
        ? Rule["leading"] extends true
          ? Chosen<Rule["replies"], Found>
          : Scanned<Rule, Rest, Any, Found>
        : Entry extends "unknown"
          ? Any
          : Word<Entry, Rule, Rest, Any, Found>
      : never
    : Any

/** The entry of an argument among the words, if it is one. */
type Meant<Argument, Words> = Argument extends number | bigint
  ? "no option"
  : Argument extends string
    ? Uppercase<Argument> extends keyof Words
      ? Words[Uppercase<Argument>]
      : // Only a literal is a key of its own.
        Record<never, never> extends { [Key in Argument]: true }
        ? "unknown"
        : "no option"
    : "unknown"

/** An option, and the arguments that belong to it. */
type Word<Entry, Rule extends AnyWords, Rest, Any, Found> = Entry extends [infer Takes, infer Meaning]
  ? Takes extends "rest"
    ? Chosen<Rule["replies"], Found | Meaning>
    : Takes extends 0
      ? Scanned<Rule, Rest, Any, Found | Meaning>
      : Takes extends 1
        ? Rest extends readonly [unknown, ...infer After]
          ? Scanned<Rule, After, Any, Found | Meaning>
          : Any
        : Takes extends 2
          ? Rest extends readonly [unknown, unknown, ...infer After]
            ? Scanned<Rule, After, Any, Found | Meaning>
            : Any
          : Rest extends readonly [unknown, unknown, unknown, ...infer After]
            ? Scanned<Rule, After, Any, Found | Meaning>
            : Any
  : Any

/** The first reply whose words were all found. */
type Chosen<Replies, Found> = Replies extends [[infer Needed, infer R], ...infer More]
  ? [Needed] extends [Found]
    ? R
    : Chosen<More, Found>
  : never
