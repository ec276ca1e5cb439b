// What the parent and a worker say to each other over the channel between the two processes.
import type { ClientName } from "./clients/registry.ts"
import type { Sample } from "./workloads/workload.ts"

export interface Targets {
  readonly server: string
  /** For each piece size of the split workloads, the URL of the proxy that cuts replies into such pieces. */
  readonly split: Readonly<Record<number, string>>
  /** Of all nodes of the cluster; none where no workload needs it. */
  readonly cluster: readonly string[]
  /** For each number of fake nodes, the URL of one of them. */
  readonly nodes: Readonly<Record<number, string>>
}

export type Request =
  | { readonly kind: "open"; readonly client: ClientName; readonly targets: Targets }
  | { readonly kind: "prepare"; readonly workload: string; readonly seconds: number }
  | { readonly kind: "measure"; readonly workload: string }

export type Answer =
  | { readonly ok: true; readonly sample?: Sample }
  | { readonly ok: false; readonly error: string }
