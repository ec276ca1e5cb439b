/** A request of one command on one connection. */

import type { CommandSink } from "../protocol/encode.ts"
import { keepOne, unused } from "../util/keep.ts"
import { encodeCommand } from "./commands.ts"
import type { Reject, RequestTerms, Resolve } from "./request.ts"
import { SingleRequest } from "./single-request.ts"

export class CommandRequest extends SingleRequest {
  size = 0
  since = 0
  terms: RequestTerms | undefined
  protected phase = 0
  readonly asBytes: boolean
  protected readonly resolve: Resolve<unknown>
  protected readonly reject: Reject
  protected shownName: string | undefined

  constructor(resolve: Resolve<unknown>, reject: Reject, asBytes: boolean) {
    super()
    this.resolve = resolve
    this.reject = reject
    this.asBytes = asBytes
  }

  encode(sink: CommandSink, command: readonly unknown[]): void {
    this.shownName = encodeCommand(this, sink, command, 0).shownName
  }
}

const example = new CommandRequest(unused, unused, false)
example.needTerms()
keepOne(example)
