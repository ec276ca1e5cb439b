/**
 * The ways to ask a cluster: one command, a pipeline, a transaction, without replies. Makes the promise and the request, and
 * hands it to a router; as for one connection, nothing here is `async`, and the promise that is made is the one returned.
 */

import { type ClusterRequestOptions, checkClusterRequestOptions } from "../cluster-options.ts"
import type { ConnectionError } from "../errors.ts"
import type { CommandRouter } from "./command-router.ts"
import { ofAll } from "./outcome.ts"
import type { PipelineRouter } from "./pipeline-router.ts"
import { NO_TERMS, setTerms, type Terms } from "./routed.ts"
import { RoutedCommand } from "./routed-command.ts"
import { RoutedTransaction } from "./routed-transaction.ts"
import { isSplittable, splitKeys } from "./split-keys.ts"

type Command = readonly unknown[]
type Commands = ReadonlyArray<Command>
type Options = ClusterRequestOptions | undefined

/** Who carries requests out. */
export interface Routers {
  readonly commands: CommandRouter
  readonly pipelines: PipelineRouter
  readonly readFromReplicas: boolean
}

export function sendCommand(routers: Routers, command: Command, options: Options): Promise<unknown> {
  return new Promise((resolve, reject) => {
    if (options === undefined) {
      routers.commands.submit(new RoutedCommand(resolve, reject, false, routers.commands, undefined), command)
      return
    }
    const terms = checkedTerms(routers, options, reject)
    if (terms === undefined) return
    const { route, split, encoding } = options
    if (split === true && isSplittable(command)) {
      sendSplit(routers, command, options, terms).then(resolve, reject)
      return
    }
    const request = new RoutedCommand(resolve, reject, encoding === "buffer", routers.commands, route)
    setTerms(request, terms)
    routers.commands.submit(request, command)
  })
}

export function sendPipeline(routers: Routers, commands: Commands, options: Options): Promise<unknown[]> {
  return new Promise((resolve, reject) => {
    const terms = options === undefined ? NO_TERMS : checkedTerms(routers, options, reject)
    if (terms === undefined) return
    const { route, encoding, split } = options ?? {}
    if (split === true && Array.isArray(commands) && commands.some(isSplittable)) {
      sendSplitPipeline(routers, commands, options, terms).then(resolve, reject)
      return
    }
    routers.pipelines.submit(commands, {
      asBytes: encoding === "buffer",
      terms,
      route,
      result: { resolve, reject },
    })
  })
}

export function sendTransaction(
  routers: Routers,
  commands: Commands,
  options: Options,
): Promise<unknown[] | null> {
  return new Promise((resolve, reject) => {
    const terms = options === undefined ? NO_TERMS : checkedTerms(routers, options, reject)
    if (terms === undefined) return
    const { route, encoding } = options ?? {}
    if (route !== undefined && route !== "primary") {
      reject(new TypeError('Cluster request option "route": a transaction is carried out by the primary'))
      return
    }
    const request = new RoutedTransaction(resolve, reject, encoding === "buffer", routers.commands)
    setTerms(request, terms)
    routers.commands.submitTransaction(request, commands)
  })
}

/**
 * Without CLIENT REPLY: a redirection that the server kept to itself would lose the write. Replies are read, and thrown
 * away.
 */
export function sendWithoutReply(routers: Routers, commands: Commands, options: Options): Promise<void> {
  return new Promise((resolve, reject) => {
    const terms = options === undefined ? NO_TERMS : checkedTerms(routers, options, reject)
    if (terms === undefined) return
    const result = {
      resolve: (replies: unknown[], failure: ConnectionError | undefined) =>
        failure === undefined ? resolve() : reject(ofAll(failure, replies)),
      reject,
    }
    const { route, split } = options ?? {}
    const all = split === true && Array.isArray(commands) ? splitKeys(commands).all : commands
    routers.pipelines.submit(all, { asBytes: false, terms, route, isWithoutReply: true, result })
  })
}

/** The options' terms, if they are allowed and not aborted; otherwise rejects. */
function checkedTerms(
  { readFromReplicas }: Routers,
  options: ClusterRequestOptions,
  reject: (error: unknown) => void,
): Terms | undefined {
  try {
    checkClusterRequestOptions(options, readFromReplicas)
  } catch (error) {
    reject(error)
    return undefined
  }
  const { timeout, signal } = options
  if (signal?.aborted === true) {
    reject(signal.reason)
    return undefined
  }
  return { timeout, signal }
}

async function sendSplit(
  routers: Routers,
  command: Command,
  options: ClusterRequestOptions,
  terms: Terms,
): Promise<unknown> {
  const [reply] = await sendSplitPipeline(routers, [command], options, terms)
  if (reply instanceof Error) throw reply
  return reply
}

/** Each command that can be is sent as one command for each slot, and what they reply is put together again. */
async function sendSplitPipeline(
  routers: Routers,
  commands: Commands,
  options: Options,
  terms: Terms,
): Promise<unknown[]> {
  const { route, encoding } = options ?? {}
  const { all, merge } = splitKeys(commands)
  const replies = await new Promise<unknown[]>((resolve, reject) => {
    routers.pipelines.submit(all, {
      asBytes: encoding === "buffer",
      terms,
      route,
      result: { resolve, reject },
    })
  })
  return merge(replies)
}
