/** What waits in the place of something that is no request itself, such as a pipeline that has no parts yet. */

import { Request, type RequestTerms } from "../connection/request.ts"

export class Pause extends Request<undefined> {
  size = 0
  since = 0
  terms: RequestTerms | undefined
  protected phase = 0
  readonly label: string
  readonly #onFailed: (error: unknown) => void

  /** @param onFailed its time was up, or its signal was aborted */
  constructor(label: string, onFailed: (error: unknown) => void) {
    super()
    this.label = label
    this.#onFailed = onFailed
  }

  get asBytes(): boolean {
    return false
  }

  /** The wait is over. */
  end(): void {
    this.settle()
  }

  encode(): void {}

  accept(): boolean {
    return true
  }

  protected rejectPromise(error: unknown): void {
    this.#onFailed(error)
  }
}
