/** What all clients have in common, beside what each does. */
import assert from "node:assert/strict"
import { describe, test } from "node:test"
import { inspect } from "node:util"
import { Cluster, Pool, PubSub, Redix } from "@redix/client"

const clients = {
  Redix: (name: string) => Redix.start("redis://user:secret@localhost:1", { name }),
  Pool: (name: string) => Pool.start("redis://user:secret@localhost:1", { name, protocol: 3 }),
  PubSub: (name: string) => PubSub.start("redis://user:secret@localhost:1", { name }),
  Cluster: (name: string) =>
    Cluster.start({ nodes: ["redis://localhost:1"], username: "user", password: "secret", name }),
}

for (const [kind, start] of Object.entries(clients)) {
  describe(kind, () => {
    test("shows what it is and how it is, also inside of something, and no password", (t) => {
      const client = start(`shown-${kind}`)
      t.after(() => client.destroy())
      const shown = inspect({ deep: { client } }, { depth: null, showHidden: true })
      assert.match(shown, new RegExp(`client: ${kind} \\{\\s+name: 'shown-${kind}',`))
      assert.match(shown, /address: 'localhost:1',\s+status: 'connecting'/)
      assert.doesNotMatch(shown, /secret/)
      const protocol = "protocol" in client ? client.protocol : undefined
      assert.equal(/protocol: (\d)/.exec(shown)?.[1], protocol?.toString())
    })
  })
}

test("a name that something else bears is not found, and who bears it is not said to be nothing", (t) => {
  const client = Redix.start("redis://localhost:1", { name: "borne" })
  t.after(() => client.destroy())
  for (const kind of [Pool, PubSub, Cluster]) {
    assert.throws(
      () => kind.named("borne"),
      new Error(`something other than a ${kind.name} is registered under the name "borne"`),
    )
    assert.throws(() => kind.named("nobody"), new Error('nothing is registered under the name "nobody"'))
  }
})
