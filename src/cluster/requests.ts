/**
 * The ways to ask a cluster: one command, a pipeline, a transaction, without replies. Makes the promise and the request, and
 * hands it to a router; as for one connection, nothing here is `async`, and the promise that is made is the one returned.
 */

import { type ClusterRequestOptions, checkClusterRequestOptions } from "../cluster-options.ts"
import { PipelineRequest } from "../connection/pipeline-request.ts"
import type { Reject, Resolve } from "../connection/request.ts"
import { type Caller, type Placed, Trace } from "../connection/trace.ts"
import { screen } from "../dedicated/screening.ts"
import type { ConnectionError } from "../errors.ts"
import { redacted } from "../protocol/redact.ts"
import { isPipelineHeard } from "../telemetry.ts"
import type { CommandRouter } from "./command-router.ts"
import { ofAll } from "./outcome.ts"
import type { PipelineRouter } from "./pipeline-router.ts"
import { REFUSALS } from "./refusals.ts"
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

/** @param caller the cluster, as telemetry tells; the same for all of these */
export function sendCommand(
  routers: Routers,
  command: Command,
  options: Options,
  caller: Caller,
): Promise<unknown> {
  return new Promise((resolve, reject) => {
    if (isPipelineHeard())
      traced(caller, resolve, reject, [command], options, told, (...to) =>
        submitCommand(routers, command, options, ...to),
      )
    else submitCommand(routers, command, options, resolve, reject, undefined)
  })
}

export function sendPipeline(
  routers: Routers,
  commands: Commands,
  options: Options,
  caller: Caller,
): Promise<unknown[]> {
  return new Promise((resolve, reject) => {
    if (isPipelineHeard())
      traced(caller, resolve, reject, commands, options, told, (...to) =>
        submitPipeline(routers, commands, options, ...to),
      )
    else submitPipeline(routers, commands, options, resolve, reject, undefined)
  })
}

export function sendTransaction(
  routers: Routers,
  commands: Commands,
  options: Options,
  caller: Caller,
): Promise<unknown[] | null> {
  return new Promise((resolve, reject) => {
    if (isPipelineHeard())
      traced(caller, resolve, reject, commands, options, toldOfTransaction, (...to) =>
        submitTransaction(routers, commands, options, ...to),
      )
    else submitTransaction(routers, commands, options, resolve, reject, undefined)
  })
}

/**
 * Without CLIENT REPLY: a redirection that the server kept to itself would lose the write. Replies are read, and thrown
 * away.
 */
export function sendWithoutReply(
  routers: Routers,
  commands: Commands,
  options: Options,
  caller: Caller,
): Promise<void> {
  return new Promise((resolve, reject) => {
    if (isPipelineHeard())
      traced(caller, resolve, reject, commands, options, told, (...to) =>
        submitWithoutReply(routers, commands, options, ...to),
      )
    else submitWithoutReply(routers, commands, options, resolve, reject, undefined)
  })
}

function submitCommand(
  routers: Routers,
  command: Command,
  options: Options,
  resolve: Resolve<unknown>,
  reject: Reject,
  placed: Placed | undefined,
): void {
  const router = routers.commands
  if (options === undefined) {
    const detour = placed === undefined ? undefined : { call: { placed } }
    router.submit(new RoutedCommand(resolve, reject, false, router, detour), command)
    return
  }
  const terms = checkedTerms(routers, options, reject)
  if (terms === undefined) return
  const { route, split, encoding } = options
  if (split === true && isSplittable(command)) {
    sendSplit(routers, command, options, terms, placed).then(resolve, reject)
    return
  }
  const detour = { call: { route, placed } }
  const request = new RoutedCommand(resolve, reject, encoding === "buffer", router, detour)
  setTerms(request, terms)
  router.submit(request, command)
}

function submitPipeline(
  routers: Routers,
  commands: Commands,
  options: Options,
  resolve: Resolve<unknown[]>,
  reject: Reject,
  placed: Placed | undefined,
): void {
  const terms = options === undefined ? NO_TERMS : checkedTerms(routers, options, reject)
  if (terms === undefined) return
  const { route, encoding, split } = options ?? {}
  if (split === true && Array.isArray(commands) && commands.some(isSplittable)) {
    sendSplitPipeline(routers, commands, options, terms, placed).then(resolve, reject)
    return
  }
  routers.pipelines.submit(commands, {
    asBytes: encoding === "buffer",
    terms,
    route,
    result: { resolve, reject, placed },
  })
}

function submitTransaction(
  routers: Routers,
  commands: Commands,
  options: Options,
  resolve: Resolve<unknown[] | null>,
  reject: Reject,
  placed: Placed | undefined,
): void {
  const terms = options === undefined ? NO_TERMS : checkedTerms(routers, options, reject)
  if (terms === undefined) return
  const { route, encoding } = options ?? {}
  if (route !== undefined && route !== "primary") {
    reject(new TypeError('Cluster request option "route": a transaction is carried out by the primary'))
    return
  }
  const request = new RoutedTransaction(resolve, reject, encoding === "buffer", routers.commands, placed)
  setTerms(request, terms)
  routers.commands.submitTransaction(request, commands)
}

function submitWithoutReply(
  routers: Routers,
  commands: Commands,
  options: Options,
  resolve: Resolve<void>,
  reject: Reject,
  placed: Placed | undefined,
): void {
  const terms = options === undefined ? NO_TERMS : checkedTerms(routers, options, reject)
  if (terms === undefined) return
  const result = {
    resolve: (replies: unknown[], failure: ConnectionError | undefined) =>
      failure === undefined ? resolve() : reject(ofAll(failure, replies)),
    reject,
    placed,
  }
  const { route, split } = options ?? {}
  const all = split === true && Array.isArray(commands) ? splitKeys(commands).all : commands
  routers.pipelines.submit(all, { asBytes: false, terms, route, isWithoutReply: true, result })
}

// ── telemetry ───────────────────────────────────────────────────────────────────────────────────────────────────

/**
 * Submits a request and tells of it: once, however many nodes have a part in it, and however often it is redirected.
 * @param tell what is told of the commands
 */
function traced<T>(
  caller: Caller,
  resolve: Resolve<T>,
  reject: Reject,
  commands: Commands,
  options: Options,
  tell: (commands: Commands) => unknown[][],
  submit: (resolve: Resolve<T>, reject: Reject, placed: Placed | undefined) => void,
): void {
  // What is split is misuse, if it is, only after the call.
  if (options?.split === true && !isSound(commands)) {
    submit(resolve, reject, undefined)
    return
  }
  const trace = new Trace<T>(caller, resolve, reject)
  submit(trace.resolve, trace.reject, trace)
  if (trace.isMisuse(options?.signal, () => isSound(commands))) trace.skip()
  else trace.begin({ database: 0, commands: tell(commands), metadata: options?.metadata })
}

function told(commands: Commands): unknown[][] {
  return commands.map(redacted)
}

function toldOfTransaction(commands: Commands): unknown[][] {
  return [["MULTI"], ...told(commands), ["EXEC"]]
}

function isSound(commands: Commands): boolean {
  const check = new PipelineRequest(
    () => {},
    () => {},
    false,
  )
  return screen(check, commands, REFUSALS) !== "settled"
}

// ── options ─────────────────────────────────────────────────────────────────────────────────────────────────────

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
  placed: Placed | undefined,
): Promise<unknown> {
  const [reply] = await sendSplitPipeline(routers, [command], options, terms, placed)
  if (reply instanceof Error) throw reply
  return reply
}

/** Each command that can be is sent as one command for each slot, and what they reply is put together again. */
async function sendSplitPipeline(
  routers: Routers,
  commands: Commands,
  options: Options,
  terms: Terms,
  placed: Placed | undefined,
): Promise<unknown[]> {
  const { route, encoding } = options ?? {}
  const { all, merge } = splitKeys(commands)
  const replies = await new Promise<unknown[]>((resolve, reject) => {
    routers.pipelines.submit(all, {
      asBytes: encoding === "buffer",
      terms,
      route,
      result: { resolve, reject, placed },
    })
  })
  return merge(replies)
}
