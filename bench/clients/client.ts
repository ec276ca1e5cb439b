// What a benchmarked client has to offer: the few commands that the workloads send. The adapters beside this file say
// how each client is asked for them; nothing here knows a client. Adapters return the client's own promise: no wrapper
// may be measured along with it. They are classes, since closures made for each connection would count as its memory.

export interface Client {
  get(key: string): Promise<string | null>
  getBuffer(key: string): Promise<Buffer | null>
  set(key: string, value: string | Buffer): Promise<unknown>
  incr(key: string): Promise<unknown>
  lrange(key: string): Promise<readonly string[]>
  /** The hash as a plain object, for every client. */
  hgetall(key: string): Promise<Readonly<Record<string, string>>>
  /** The reply to HGETALL as the client hands it over by itself. */
  hgetallOwn(key: string): Promise<unknown>
  pipelineGet(keys: readonly string[]): Promise<readonly unknown[]>
  pipelineSet(keys: readonly string[], value: string): Promise<readonly unknown[]>
  /** The values of what `pipelineGet` and `pipelineSet` gave (used to check replies, not while measuring). */
  pipelineValues(replies: readonly unknown[]): unknown[]
  /** Waits for an element of a list, for ever: whatever is sent after it on this connection stays unanswered. */
  block(key: string): Promise<unknown>
  push(key: string, element: string): Promise<unknown>
  close(): Promise<unknown>
}

export type Connect = (url: string) => Promise<Client>
