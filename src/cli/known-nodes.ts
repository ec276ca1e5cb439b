/** What a node of a cluster says of all of them, by `CLUSTER NODES`. Knows nothing of what of that is good or bad. */

/** A line of the reply: `id address@bus,name flags primary ping pong epoch link slots…`. */
export interface KnownNode {
  readonly id: string
  readonly address: string
  readonly flags: readonly string[]
  readonly primary: string
  readonly epoch: number
  readonly link: string
  readonly slots: readonly string[]
}

export function knownNodes(text: string): KnownNode[] {
  return text
    .trim()
    .split("\n")
    .map((line) => {
      const [id = "", address = "", flags = "", primary = "", , , epoch = "", link = "", ...slots] = line
        .trim()
        .split(" ")
      return {
        id,
        address: address.replace(/[@,].*$/, ""),
        flags: flags.split(","),
        primary,
        epoch: Number(epoch),
        link,
        slots,
      }
    })
}

export function primariesOf(view: readonly KnownNode[]): KnownNode[] {
  return view.filter(({ flags }) => flags.includes("master"))
}

export function replicasOf({ id }: KnownNode, view: readonly KnownNode[]): KnownNode[] {
  return view.filter(({ primary }) => primary === id)
}

/** Whether it is down, also in the opinion of only the node that says so. */
export function isDown({ flags }: KnownNode): boolean {
  return flags.includes("fail") || flags.includes("fail?")
}
