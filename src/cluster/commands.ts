/** What a cluster does with commands, typed: as every client, with options of its own. Types only. */

import type { ClusterRequestOptions } from "../cluster-options.ts"
import type { AnyFailure, Commands, Result, SafeCommands } from "../commands.ts"
import type { Encoding, Protocol } from "../options.ts"
import type {
  Command,
  CommandParameter,
  PipelineParameter,
  PipelineReplies,
  ReplyOf,
} from "../protocol/command-map.ts"

/**
 * {@link Commands} of a cluster. A pipeline rejects only if none of its commands has a reply and all have failed alike;
 * otherwise what failed has a `ConnectionError` in its place.
 */
export interface ClusterCommands<out P extends Protocol = 2> extends Commands<P, AnyFailure> {
  command<const C extends Command, E extends Encoding = "utf8">(
    command: CommandParameter<C>,
    options?: ClusterRequestOptions<E>,
  ): Promise<ReplyOf<C, P, E>>
  pipeline<const Cs extends readonly Command[], E extends Encoding = "utf8">(
    commands: PipelineParameter<Cs>,
    options?: ClusterRequestOptions<E>,
  ): Promise<PipelineReplies<Cs, P, E, AnyFailure>>
  /** All keys have to be in one slot, and there has to be one: otherwise `RedisError` with code `CROSSSLOT`, sent nowhere. */
  transactionPipeline<const Cs extends readonly Command[], E extends Encoding = "utf8">(
    commands: PipelineParameter<Cs>,
    options?: ClusterRequestOptions<E>,
  ): Promise<PipelineReplies<Cs, P, E, AnyFailure> | null>
  /** Replies are read, redirections followed, and the rest is thrown away: `CLIENT REPLY` is not used. */
  noreplyCommand<const C extends Command>(
    command: CommandParameter<C>,
    options?: ClusterRequestOptions,
  ): Promise<void>
  noreplyPipeline<const Cs extends readonly Command[]>(
    commands: PipelineParameter<Cs>,
    options?: ClusterRequestOptions,
  ): Promise<void>
  readonly safe: SafeClusterCommands<P>
}

/** {@link ClusterCommands} with failures as values. */
export interface SafeClusterCommands<out P extends Protocol = 2> extends SafeCommands<P, AnyFailure> {
  command<const C extends Command, E extends Encoding = "utf8">(
    command: CommandParameter<C>,
    options?: ClusterRequestOptions<E>,
  ): Promise<Result<ReplyOf<C, P, E>>>
  pipeline<const Cs extends readonly Command[], E extends Encoding = "utf8">(
    commands: PipelineParameter<Cs>,
    options?: ClusterRequestOptions<E>,
  ): Promise<Result<PipelineReplies<Cs, P, E, AnyFailure>>>
  transactionPipeline<const Cs extends readonly Command[], E extends Encoding = "utf8">(
    commands: PipelineParameter<Cs>,
    options?: ClusterRequestOptions<E>,
  ): Promise<Result<PipelineReplies<Cs, P, E, AnyFailure> | null>>
  noreplyCommand<const C extends Command>(
    command: CommandParameter<C>,
    options?: ClusterRequestOptions,
  ): Promise<Result<void>>
  noreplyPipeline<const Cs extends readonly Command[]>(
    commands: PipelineParameter<Cs>,
    options?: ClusterRequestOptions,
  ): Promise<Result<void>>
}
