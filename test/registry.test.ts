import assert from "node:assert/strict"
import { describe, it } from "node:test"
import { assertFree, register, registered, unregister } from "../src/registry.ts"

describe("the registry", () => {
  it("knows what is registered, until it is not any more", () => {
    const thing = {}
    assert.equal(registered("one"), undefined)
    register("one", thing)
    assert.equal(registered("one"), thing)
    unregister("one", thing)
    assert.equal(registered("one"), undefined)
    register("one", thing)
    unregister("one", thing)
  })

  it("refuses a name in use, and says what to do", () => {
    const thing = {}
    register("taken", thing)
    const message = 'the name "taken" is in use: close what bears it, or get it with Redix.named("taken")'
    assert.throws(() => register("taken", {}), { name: "Error", message })
    assert.throws(() => register("taken", thing), { message })
    assert.throws(() => assertFree("taken"), { message })
    assertFree("free")
    assert.equal(registered("taken"), thing)
    unregister("taken", thing)
  })

  it("frees a name for who bears it only", () => {
    const [thing, other] = [{}, {}]
    register("mine", thing)
    unregister("mine", other)
    assert.equal(registered("mine"), thing)
    unregister("mine", thing)
    unregister("mine", thing)
  })

  it("takes any text for a name", () => {
    for (const name of ["", "__proto__", "constructor", "é"]) {
      const thing = {}
      assert.equal(registered(name), undefined)
      register(name, thing)
      assert.equal(registered(name), thing)
      unregister(name, thing)
    }
  })

  it("is common to both builds of the package", async () => {
    const address = new URL("../src/registry.ts?copy", import.meta.url).href
    const other: typeof import("../src/registry.ts") = await import(address)
    assert.notEqual(other.register, register)
    const thing = {}
    other.register("common", thing)
    assert.equal(registered("common"), thing)
    assert.throws(() => register("common", {}))
    unregister("common", thing)
    assert.equal(other.registered("common"), undefined)
  })
})
