/**
 * What every client can do with commands, typed: {@link Commands}, and its one implementation over whatever carries
 * requests out. Knows no topology.
 */

import { type Backend, Client } from "./client.ts"
import type { Executor } from "./connection/executor.ts"
import { sendCommand, sendPipeline, sendTransaction, sendWithoutReply } from "./connection/requests.ts"
import type { ConnectionError, RedisError } from "./errors.ts"
import type { Lifecycle } from "./lifecycle.ts"
import type { Encoding, Protocol, RequestOptions } from "./options.ts"
import type {
  Command,
  CommandParameter,
  PipelineParameter,
  PipelineReplies,
  ReplyOf,
} from "./protocol/command-map.ts"

/** The outcome of a `safe` call: the value, or the error instead of a rejection. */
export type Result<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly error: RedisError | ConnectionError | Error }

/** What may stand in the place of a reply in a pipeline: of any client, the commands of a cluster fail one by one. */
export type AnyFailure = RedisError | ConnectionError

/** As {@link Commands}, but a failure is a value and the promise never rejects. */
export interface SafeCommands<out P extends Protocol = 2, out Failure extends AnyFailure = AnyFailure> {
  command<const C extends Command, E extends Encoding = "utf8">(
    command: CommandParameter<C>,
    options?: RequestOptions<E>,
  ): Promise<Result<ReplyOf<C, P, E>>>
  pipeline<const Cs extends readonly Command[], E extends Encoding = "utf8">(
    commands: PipelineParameter<Cs>,
    options?: RequestOptions<E>,
  ): Promise<Result<PipelineReplies<Cs, P, E, Failure>>>
  transactionPipeline<const Cs extends readonly Command[], E extends Encoding = "utf8">(
    commands: PipelineParameter<Cs>,
    options?: RequestOptions<E>,
  ): Promise<Result<PipelineReplies<Cs, P, E, Failure> | null>>
  noreplyCommand<const C extends Command>(
    command: CommandParameter<C>,
    options?: RequestOptions,
  ): Promise<Result<void>>
  noreplyPipeline<const Cs extends readonly Command[]>(
    commands: PipelineParameter<Cs>,
    options?: RequestOptions,
  ): Promise<Result<void>>
}

/**
 * What `Redix`, `Pool` and `Cluster` share: libraries should ask for this. `Failure` is what may stand in the place of a
 * reply in a pipeline; that of `Redix` and `Pool` is `RedisError` only.
 */
export interface Commands<out P extends Protocol = 2, out Failure extends AnyFailure = AnyFailure> {
  /**
   * Sends one command; resolves to its reply.
   *
   * Rejects with `RedisError` for an error reply, `ConnectionError` when the connection failed it or its time ran out,
   * the signal's reason when aborted, and `TypeError` for misuse, in which case nothing was sent.
   *
   * @example
   * await conn.command(["SET", "key", "value", "EX", 60])
   * const value = await conn.command(["GET", "key"]) // string | null
   */
  command<const C extends Command, E extends Encoding = "utf8">(
    command: CommandParameter<C>,
    options?: RequestOptions<E>,
  ): Promise<ReplyOf<C, P, E>>
  /**
   * Sends several commands in one write; resolves to their replies in the same order. An error reply stands in its
   * place as a `RedisError`; {@link unwrap} throws the first of them.
   *
   * @example
   * const [ok, count] = unwrap(await conn.pipeline([["SET", "a", 1], ["INCR", "a"]]))
   */
  pipeline<const Cs extends readonly Command[], E extends Encoding = "utf8">(
    commands: PipelineParameter<Cs>,
    options?: RequestOptions<E>,
  ): Promise<PipelineReplies<Cs, P, E, Failure>>
  /**
   * Sends the commands between `MULTI` and `EXEC`, in one write; resolves to the replies of the commands, or to `null`
   * when a key watched by a `WATCH` before has changed. Rejects with a `RedisError` of code `EXECABORT` when a command
   * could not be queued, its `cause` being why.
   *
   * Source: https://redis.io/docs/latest/develop/using-commands/transactions/
   */
  transactionPipeline<const Cs extends readonly Command[], E extends Encoding = "utf8">(
    commands: PipelineParameter<Cs>,
    options?: RequestOptions<E>,
  ): Promise<PipelineReplies<Cs, P, E, Failure> | null>
  /**
   * Sends one command whose reply the server does not send; resolves when the server has taken it. Whether it succeeded
   * nobody is told: also an error is not replied.
   *
   * Source: https://redis.io/docs/latest/commands/client-reply/
   */
  noreplyCommand<const C extends Command>(
    command: CommandParameter<C>,
    options?: RequestOptions,
  ): Promise<void>
  /** Sends several commands whose replies the server does not send, as {@link noreplyCommand}. */
  noreplyPipeline<const Cs extends readonly Command[]>(
    commands: PipelineParameter<Cs>,
    options?: RequestOptions,
  ): Promise<void>
  /** The same methods, with failures as values: their promises never reject. */
  readonly safe: SafeCommands<P, Failure>
}

/** {@link Commands} over an {@link Executor}. */
export abstract class CommandClient<out P extends Protocol>
  extends Client
  implements Commands<P, RedisError>
{
  readonly #executor: Executor
  #safe: SafeCommands<P, RedisError> | undefined

  /** @param executor what carries requests out */
  protected constructor(executor: Executor & Backend, lifecycle: Lifecycle) {
    super(executor, lifecycle)
    this.#executor = executor
  }

  command<const C extends Command, E extends Encoding = "utf8">(
    command: CommandParameter<C>,
    options?: RequestOptions<E>,
  ): Promise<ReplyOf<C, P, E>> {
    return declared(sendCommand(this.#executor, command, options, this))
  }

  pipeline<const Cs extends readonly Command[], E extends Encoding = "utf8">(
    commands: PipelineParameter<Cs>,
    options?: RequestOptions<E>,
  ): Promise<PipelineReplies<Cs, P, E>> {
    return declared(sendPipeline(this.#executor, commands, options, this))
  }

  transactionPipeline<const Cs extends readonly Command[], E extends Encoding = "utf8">(
    commands: PipelineParameter<Cs>,
    options?: RequestOptions<E>,
  ): Promise<PipelineReplies<Cs, P, E> | null> {
    return declared(sendTransaction(this.#executor, commands, options, this))
  }

  noreplyCommand<const C extends Command>(
    command: CommandParameter<C>,
    options?: RequestOptions,
  ): Promise<void> {
    return sendWithoutReply(this.#executor, [command], options, this)
  }

  noreplyPipeline<const Cs extends readonly Command[]>(
    commands: PipelineParameter<Cs>,
    options?: RequestOptions,
  ): Promise<void> {
    return sendWithoutReply(this.#executor, commands, options, this)
  }

  get safe(): SafeCommands<P, RedisError> {
    this.#safe ??= safeCommands(this)
    return this.#safe
  }
}

/**
 * The one place where a reply is taken to have the type that its command is declared to have. That the declarations are
 * right is not for the compiler to prove, but for the tests against real servers.
 */
export function declared<T>(promise: Promise<unknown>): Promise<T>
export function declared(promise: Promise<unknown>): Promise<unknown> {
  return promise
}

/** The methods of a client, with failures as values. */
export function safeCommands<P extends Protocol, Failure extends AnyFailure>(
  client: Commands<P, Failure>,
): SafeCommands<P, Failure> {
  return {
    command: (command, options) => settled(client.command(command, options)),
    pipeline: (commands, options) => settled(client.pipeline(commands, options)),
    transactionPipeline: (commands, options) => settled(client.transactionPipeline(commands, options)),
    noreplyCommand: (command, options) => settled(client.noreplyCommand(command, options)),
    noreplyPipeline: (commands, options) => settled(client.noreplyPipeline(commands, options)),
  }
}

/** The outcome as a value. */
function settled<T>(promise: Promise<T>): Promise<Result<T>> {
  return promise.then(
    (value) => ({ ok: true, value }),
    (error: unknown) => ({ ok: false, error: asError(error) }),
  )
}

/** A signal may be aborted with anything. */
function asError(reason: unknown): Error {
  return reason instanceof Error ? reason : new Error("aborted; the reason is the cause", { cause: reason })
}
