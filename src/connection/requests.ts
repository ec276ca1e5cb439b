/**
 * The ways to ask: one command, a pipeline, a transaction, without replies. Makes the promise and the request, and hands
 * it to whatever carries requests out; knows no topology.
 *
 * None of these functions is `async`, and none wraps the promise that it makes: that is what a command costs least with.
 */

import { checkRequestOptions, type RequestOptions } from "../options.ts"
import { commandChecker } from "../protocol/encode.ts"
import { isPipelineHeard } from "../telemetry.ts"
import { CommandRequest } from "./command-request.ts"
import type { Executor } from "./executor.ts"
import { NoreplyRequest } from "./noreply-request.ts"
import { PipelineRequest } from "./pipeline-request.ts"
import { type Reject, type Request, RequestTerms, type Resolve } from "./request.ts"
import { type Caller, Trace } from "./trace.ts"
import { TransactionRequest } from "./transaction-request.ts"

type CommandArray = readonly unknown[]
type Pipeline = ReadonlyArray<readonly unknown[]>

/** @param caller the client that was called, as telemetry tells; without one, it is a request of the driver's own. */
export function sendCommand(
  executor: Executor,
  command: CommandArray,
  options: RequestOptions | undefined,
  caller?: Caller,
): Promise<unknown> {
  if (caller !== undefined && isPipelineHeard())
    return sendTraced(executor, caller, command, options, CommandRequest)
  return new Promise((resolve, reject) => {
    const request = new CommandRequest(resolve, reject, options !== undefined && wantsBytes(options))
    if (options === undefined) executor.submit(request, command)
    else submitOnTerms(executor, request, command, options)
  })
}

export function sendPipeline(
  executor: Executor,
  commands: Pipeline,
  options: RequestOptions | undefined,
  caller?: Caller,
): Promise<unknown[]> {
  return send(executor, commands, options, caller, PipelineRequest)
}

export function sendTransaction(
  executor: Executor,
  commands: Pipeline,
  options: RequestOptions | undefined,
  caller?: Caller,
): Promise<unknown[] | null> {
  return send(executor, commands, options, caller, TransactionRequest)
}

export function sendWithoutReply(
  executor: Executor,
  commands: Pipeline,
  options: RequestOptions | undefined,
  caller?: Caller,
): Promise<void> {
  return send(executor, commands, options, caller, NoreplyRequest)
}

type RequestKind<T, Payload> = new (resolve: Resolve<T>, reject: Reject, asBytes: boolean) => Request<Payload>

function send<T, Payload>(
  executor: Executor,
  payload: Payload,
  options: RequestOptions | undefined,
  caller: Caller | undefined,
  Kind: RequestKind<T, Payload>,
): Promise<T> {
  if (caller !== undefined && isPipelineHeard()) return sendTraced(executor, caller, payload, options, Kind)
  return new Promise((resolve, reject) => {
    const request = new Kind(resolve, reject, options !== undefined && wantsBytes(options))
    if (options === undefined) executor.submit(request, payload)
    else submitOnTerms(executor, request, payload, options)
  })
}

/** Also looked at where the options turn out to be misuse, and may be anything. */
function wantsBytes(options: RequestOptions | null): boolean {
  return options?.encoding === "buffer"
}

function submitOnTerms<Payload>(
  executor: Executor,
  request: Request<Payload>,
  payload: Payload,
  options: RequestOptions,
): void {
  try {
    checkRequestOptions(options)
  } catch (error) {
    request.fail(error)
    return
  }
  const { timeout, signal } = options
  if (signal?.aborted === true) {
    request.fail(signal.reason)
    return
  }
  if (timeout !== undefined || signal !== undefined)
    request.terms = new RequestTerms(request, timeout, signal)
  executor.submit(request, payload)
}

/** The same while somebody listens. */
function sendTraced<T, Payload>(
  executor: Executor,
  caller: Caller,
  payload: Payload,
  options: RequestOptions | undefined,
  Kind: RequestKind<T, Payload>,
): Promise<T> {
  return new Promise((resolve, reject) => {
    const trace = new Trace<T>(caller, resolve, reject)
    const request = new Kind(trace.resolve, trace.reject, options !== undefined && wantsBytes(options))
    const noting: Executor =
      executor.submitTraced === undefined
        ? executor
        : { submit: (...taken) => executor.submitTraced?.(...taken, trace) }
    if (options === undefined) noting.submit(request, payload)
    else submitOnTerms(noting, request, payload, options)
    if (trace.isMisuse(options?.signal, () => isSound(request, payload))) trace.skip()
    else {
      const commands = request.toldOf(payload)
      trace.begin({ database: executor.database, commands, metadata: options?.metadata })
    }
  })
}

function isSound<Payload>(request: Request<Payload>, payload: Payload): boolean {
  try {
    request.encode(commandChecker, payload)
    return true
  } catch {
    return false
  }
}
