/**
 * The ways to ask: one command, a pipeline, a transaction, without replies. Makes the promise and the request, and hands
 * it to whatever carries requests out; knows no topology.
 *
 * None of these functions is `async`, and none wraps the promise that it makes: that is what a command costs least with.
 */

import { checkRequestOptions, type RequestOptions } from "../options.ts"
import { CommandRequest } from "./command-request.ts"
import type { Executor } from "./executor.ts"
import { NoreplyRequest } from "./noreply-request.ts"
import { PipelineRequest } from "./pipeline-request.ts"
import { type Reject, type Request, RequestTerms, type Resolve } from "./request.ts"
import { TransactionRequest } from "./transaction-request.ts"

type CommandArray = readonly unknown[]
type Pipeline = ReadonlyArray<readonly unknown[]>

export function sendCommand(
  executor: Executor,
  command: CommandArray,
  options: RequestOptions | undefined,
): Promise<unknown> {
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
): Promise<unknown[]> {
  return send(executor, commands, options, PipelineRequest)
}

export function sendTransaction(
  executor: Executor,
  commands: Pipeline,
  options: RequestOptions | undefined,
): Promise<unknown[] | null> {
  return send(executor, commands, options, TransactionRequest)
}

export function sendWithoutReply(
  executor: Executor,
  commands: Pipeline,
  options: RequestOptions | undefined,
): Promise<void> {
  return send(executor, commands, options, NoreplyRequest)
}

type RequestKind<T, Payload> = new (resolve: Resolve<T>, reject: Reject, asBytes: boolean) => Request<Payload>

function send<T, Payload>(
  executor: Executor,
  payload: Payload,
  options: RequestOptions | undefined,
  Kind: RequestKind<T, Payload>,
): Promise<T> {
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
