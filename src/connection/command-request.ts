/** A request of one command on one connection. */

import type { CommandSink } from "../protocol/encode.ts"
import { encodeCommand } from "./commands.ts"
import type { Reject, Resolve } from "./request.ts"
import { SingleRequest } from "./single-request.ts"

export class CommandRequest extends SingleRequest {
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
